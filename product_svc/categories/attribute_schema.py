"""JSON Schema for attributes: the part of it that attributes need. Pure.

Attributes are flat, so a schema is an object of properties, each of which is a string, a number, a boolean or a list
of strings. A category cannot be given a schema with any other keyword, so no part of a schema is ever ignored.
What patterns may be is in ``patterns``.

Source: JSON Schema 2020-12, Validation §6 (vocabulary) and Core §10.3 (properties, additionalProperties).
"""

from collections.abc import Callable, Container, Iterator, Mapping
from typing import Any

from product_svc.categories.patterns import PATTERNS, Unsupported

Schema = Mapping[str, Any]


def violations(schema: Schema, attributes: Mapping[str, Any]) -> Iterator[str]:
    """How attributes violate a schema, one sentence each; nothing where they match."""
    yield from missing(schema, attributes)
    for name, value in attributes.items():
        yield from violations_of(schema, name, value)


def missing(schema: Schema, attributes: Container[str]) -> Iterator[str]:
    """The attributes that a schema requires and that are not there, one sentence each."""
    return (f"{name}: is required" for name in schema.get("required", ()) if name not in attributes)


def violations_of(schema: Schema, name: str, value: Any) -> Iterator[str]:
    """How one attribute violates a schema."""
    if name in (properties := schema.get("properties", {})):
        yield from (f"{name}: {what}" for what in _violations(properties[name], value))
    elif schema.get("additionalProperties") is False:
        yield f"{name}: is not allowed"


def _violations(rule: Schema, value: Any) -> Iterator[str]:
    if (kind := rule.get("type")) and not TYPES[kind](value):
        yield f"must be of type {kind}"
        return
    if "enum" in rule and not any(_same(value, one) for one in rule["enum"]):
        yield f"must be one of {', '.join(map(str, rule['enum']))}"
    for keyword, (applies, holds) in KEYWORDS.items():
        if keyword in rule and applies(value) and not holds(value, rule[keyword]):
            yield f"must have {keyword} {rule[keyword]}"
    if "items" in rule and isinstance(value, list):
        for position, item in enumerate(value):
            yield from (f"item {position} {what}" for what in _violations(rule["items"], item))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal in JSON: 1 and 1.0 are, 1 and true are not."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _matches(text: str, pattern: str) -> bool:
    try:
        return PATTERNS.match(pattern, text)
    except Unsupported:
        # Stored before there was a limit: no value is valid until the category has another pattern.
        return False


TYPES: Mapping[str, Callable[[Any], bool]] = {
    "string": _is_text,
    "number": _is_number,
    "integer": lambda value: _is_number(value) and value == int(value),
    "boolean": lambda value: isinstance(value, bool),
    "array": _is_list,
}

KEYWORDS: Mapping[str, tuple[Callable[[Any], bool], Callable[[Any, Any], bool]]] = {
    "minimum": (_is_number, lambda value, limit: value >= limit),
    "maximum": (_is_number, lambda value, limit: value <= limit),
    "exclusiveMinimum": (_is_number, lambda value, limit: value > limit),
    "exclusiveMaximum": (_is_number, lambda value, limit: value < limit),
    "minLength": (_is_text, lambda value, limit: len(value) >= limit),
    "maxLength": (_is_text, lambda value, limit: len(value) <= limit),
    "pattern": (_is_text, _matches),
    "minItems": (_is_list, lambda value, limit: len(value) >= limit),
    "maxItems": (_is_list, lambda value, limit: len(value) <= limit),
    "uniqueItems": (_is_list, lambda value, wanted: not wanted or len(set(value)) == len(value)),
}
"""Keyword → (the values it applies to, whether a value satisfies it); other values are valid, as in the source."""
