"""What is wrong with an input, in words: no patterns, no terms of the validator.

One sentence for each kind of constraint, whatever field has it. What is not here is said as Pydantic says it.
"""

from collections.abc import Mapping
from typing import Any

from chassis.http.fields import PROSE_PATTERN, REASON_PATTERN
from schemas.values import LINE_PATTERN

_ATTRIBUTE_FILTER = r"^[A-Za-z][A-Za-z0-9_-]{0,63}:" + LINE_PATTERN[1:]
PATTERNS: Mapping[str, str] = {
    LINE_PATTERN: "Must be one line of text, without control characters",
    PROSE_PATTERN: "Must be text without control characters; line breaks and tabs are fine",
    REASON_PATTERN: "Must be one line of text, without control characters, and not only spaces",
    r"^\+[1-9][0-9]{6,14}$": "Must be a phone number with a plus sign and the country code, such as +442079460000",
    r"^[a-z]{2}(-[A-Z]{2})?$": "Must be a language code, with a country or without, such as de or de-AT",
    r"^[A-Z]{2}$": "Must be a country code of two capital letters (ISO 3166-1), such as GB",
    r"^[A-Z]{3}$": "Must be a currency code of three capital letters (ISO 4217), such as EUR",
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$": "Must be 1 to 64 letters, digits, dots, dashes and underscores,"
    " and begin with a letter or digit",
    r"^[A-Za-z][A-Za-z0-9_-]{0,63}$": "Must be 1 to 64 letters, digits, dashes and underscores, and begin with"
    " a letter",
    _ATTRIBUTE_FILTER: "Must be the name of an attribute, a colon and a value on one line, such as colour:blue",
    r"^[\x21-\x7e]+$": "Must be letters, digits and signs of ASCII, without spaces",
    r"^[0-9]{1,4}s?$": "Must be a number of seconds, such as 5 or 5s",
    r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?$": "Must be a URL that begins with http:// or https://",
    "^[0-9a-f]{32}$": "Must be 32 hexadecimal digits in lower case",
}
"""Pattern → what it asks for."""

_SENTENCES: Mapping[str, str] = {
    "missing": "Is missing",
    "extra_forbidden": "Is not a field of this request",
    "string_too_short": "Needs at least {min_length} characters",
    "string_too_long": "Has more than {max_length} characters",
    "greater_than": "Must be more than {gt}",
    "greater_than_equal": "Must be at least {ge}",
    "less_than": "Must be less than {lt}",
    "less_than_equal": "Must be at most {le}",
    "string_type": "Must be text",
    "int_type": "Must be a whole number",
    "int_parsing": "Must be a whole number",
    "bool_type": "Must be true or false",
    "bool_parsing": "Must be true or false",
    "uuid_parsing": "Must be a UUID",
    "uuid_type": "Must be a UUID",
    "literal_error": "Must be {expected}",
    "enum": "Must be {expected}",
}
_EMPTY = "Must not be empty"
_VALUE_ERROR = "Value error, "


def in_words(error: Mapping[str, Any]) -> str:
    """The sentence about an error of Pydantic."""
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "string_pattern_mismatch" and (sentence := PATTERNS.get(context.get("pattern", ""))):
        return sentence
    if kind in ("string_too_short", "too_short") and context.get("min_length") == 1:
        return _EMPTY
    if kind in ("too_short", "too_long"):
        return _about_length(error, context)
    if kind in _SENTENCES:
        return _SENTENCES[kind].format_map(context)
    message = str(error["msg"]).removeprefix(_VALUE_ERROR)
    return message[:1].upper() + message[1:]


def _about_length(error: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    # A secret is text as well, though Pydantic counts its "items".
    items = "entries" if isinstance(error.get("input"), list | tuple | dict) else "characters"
    if error["type"] == "too_short":
        return f"Needs at least {context['min_length']} {items}"
    return f"Has more than {context['max_length']} {items}"
