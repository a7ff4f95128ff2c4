"""What may be told of an error, in logs and dead letters: what went wrong, and not with what.

Messages of databases quote rows ("Failing row contains (…)"), and rows are about people. They are known here by what
they have, and not by their classes: a process that speaks with one database does not load the driver of the other.
"""

import traceback
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

_NAMES = ("schema", "table", "column", "constraint", "datatype")


def told(error: BaseException) -> str:
    """An error in a line. Of one that the database told: its class, its code, and the names of what it is about."""
    if (cause := getattr(error, "orig", None)) is not None:
        # SQLAlchemy's, which quotes the parameters.
        return told(cause)
    if isinstance(error, BaseExceptionGroup):
        return _named(error, *(told(one) for one in error.exceptions))
    if isinstance(error, ValidationError):
        return _named(error, *(f"{'.'.join(map(str, e['loc']))} {e['type']}" for e in error.errors()[:5]))
    if isinstance(error, UnicodeDecodeError | UnicodeEncodeError):
        # Their text has all that could not be read or written.
        return _named(error, error.reason)
    if getattr(error, "sqlstate", None):
        return _named(error, *_of_postgres(error))
    if isinstance(getattr(error, "details", None), dict):
        return _named(error, *_of_mongo(error))
    return repr(error)


def rendered(error: BaseException) -> str:
    """An error with the places in the code that it came through, and those before it that led to it."""
    return "\n\n".join("".join([*traceback.format_tb(one.__traceback__), told(one)]) for one in _chain(error))


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
    """The errors that led to one, the first first."""
    found: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in found:
        found.append(one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return found[::-1]
