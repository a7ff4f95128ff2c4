"""Types of fields that the request bodies and query parameters of several services share."""

from typing import Annotated
from unicodedata import category

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from schemas.currencies import MINOR_UNITS
from schemas.values import Text


def _known_currency(code: str) -> str:
    if code not in MINOR_UNITS:
        raise PydanticCustomError("unknown_currency", "There is no such currency in ISO 4217")
    return code


CurrencyCode = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z]{3}$"),
    AfterValidator(_known_currency),
    Field(json_schema_extra={"enum": sorted(MINOR_UNITS)}),
]
"""The code of a currency that is in use (ISO 4217): what an amount in minor units means depends on it."""


MAX_STREET = 200

# Spaces and separators, controls and formats, and marks without a letter.
_INVISIBLE = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Mn", "Me"})
# Letters and a symbol that are drawn as nothing, though Unicode does not call them spaces.
_DRAWN_AS_NOTHING = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def _visible(text: str) -> str:
    if all(category(one) in _INVISIBLE or one in _DRAWN_AS_NOTHING for one in text):
        raise PydanticCustomError("blank", "Needs at least one character that can be seen")
    return text.strip()


def _with_unix_line_breaks(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _on_one_line(text: str) -> str:
    *first, last = text.replace("\t", " ").splitlines() or [""]
    line = ", ".join([*(stripped for one in first if (stripped := one.strip(" ,"))), last.strip()])
    if len(line) > MAX_STREET:
        raise ValueError(f"must have at most {MAX_STREET} characters on one line")
    return line


VISIBLE = AfterValidator(_visible)
"""For names and titles: not only spaces, which are removed at both ends."""

_CONTROLS = r"\x00-\x1f\x7f\x80-\x9f\u2028\u2029"
REASON_PATTERN = rf"^[^{_CONTROLS}]*[^\s{_CONTROLS}][^{_CONTROLS}]*$"
"""One line, like ``Text``, and not only blanks."""
Name = Annotated[Text, Field(min_length=1, max_length=200, examples=["Ada Lovelace"]), VISIBLE]
"""Of a person."""
Phone = Annotated[
    str,
    StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$"),
    Field(examples=["+442079460000"], description="E.164: a plus sign, the country code, the number"),
]

PROSE_PATTERN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\u2028\u2029]*$"

Prose = Annotated[str, StringConstraints(pattern=PROSE_PATTERN), AfterValidator(_with_unix_line_breaks)]
"""Text that may have line breaks and tabs: for descriptions and notes, and for nothing that becomes a header."""

Street = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_STREET, pattern=PROSE_PATTERN),
    AfterValidator(_on_one_line),
    VISIBLE,
    Field(examples=["12 St James's Square"], description="line breaks become commas: labels have one line for it"),
]
