"""Redaction of errors for logs and dead letters: what went wrong, without the data it went wrong with.

Database errors quote rows ("Failing row contains (…)"), and rows contain personal data. They are recognised by their
attributes, not by their classes: a process that uses one database does not load the driver of the other.
"""

import traceback
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

_NAMES = ("schema", "table", "column", "constraint", "datatype")


def redacted(error: BaseException) -> str:
    """An error in one line. Of a database error only its class, its code and the names of tables and columns."""
    if (cause := getattr(error, "orig", None)) is not None:
        # SQLAlchemy's, which quotes the parameters.
        return redacted(cause)
    if isinstance(error, BaseExceptionGroup):
        return _named(error, *(redacted(one) for one in error.exceptions))
    if isinstance(error, ValidationError):
        return _named(error, *(f"{'.'.join(map(str, e['loc']))} {e['type']}" for e in error.errors()[:5]))
    if isinstance(error, UnicodeDecodeError | UnicodeEncodeError):
        # Their text contains everything that could not be read or written.
        return _named(error, error.reason)
    if getattr(error, "sqlstate", None):
        return _named(error, *_of_postgres(error))
    if isinstance(getattr(error, "details", None), dict):
        return _named(error, *_of_mongo(error))
    return repr(error)


def redacted_traceback(error: BaseException) -> str:
    """An error with its traceback, after the errors that caused it."""
    return "\n\n".join("".join([*traceback.format_tb(one.__traceback__), redacted(one)]) for one in _chain(error))


def _named(error: BaseException, *what: object) -> str:
    return f"{type(error).__name__}({', '.join(map(str, what))})"


def _of_postgres(error: Any) -> Iterator[str]:
    yield error.sqlstate
    for name in _NAMES:
        if value := getattr(error.diag, f"{name}_name", None):
            yield f"{name}={value}"


def _of_mongo(error: Any) -> Iterator[str]:
    details: dict[str, Any] = error.details
    for one in (details, *details.get("writeErrors", ())[:1]):
        yield from (f"{name}={one[name]}" for name in ("code", "codeName") if name in one)
        yield from (f"key={name}" for name in one.get("keyPattern", ()))


def _chain(error: BaseException) -> list[BaseException]:
    """An error and its causes, the first cause first."""
    found: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in found:
        found.append(one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return found[::-1]
