"""Attributes validated against a JSON Schema, as the specification says."""

import time
from typing import Any

import pytest

from product_svc.categories.attribute_schema import KEYWORDS, violations
from product_svc.categories.schema_dto import AttributeRule


def is_valid(rule: dict[str, Any], value: object) -> bool:
    return not list(violations({"type": "object", "properties": {"a": rule}}, {"a": value}))


CASES: list[tuple[dict[str, Any], list[Any], list[Any]]] = [
    ({"type": "string"}, ["", "x", "1"], [1, 1.5, True, ["x"]]),
    ({"type": "number"}, [0, -1, 1.5, 1e300], ["1", True, [], False]),
    ({"type": "integer"}, [0, 1.0, -3], [1.5, "1", True]),
    ({"type": "boolean"}, [True, False], [0, 1, "true"]),
    ({"type": "array"}, [[], ["a"]], ["a", 1]),
    ({"type": "string", "enum": ["S", "M"]}, ["S"], ["s", ""]),
    ({"type": "number", "enum": [1]}, [1, 1.0], [2]),
    ({"type": "number", "minimum": 1, "maximum": 3}, [1, 2.5, 3], [0.9, 3.1]),
    ({"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 3}, [1.1, 2.9], [1, 3]),
    ({"type": "string", "minLength": 1, "maxLength": 2}, ["a", "🔐🔐"], ["", "abc"]),
    ({"type": "string", "pattern": "^[0-9]+ ml$"}, ["300 ml"], ["300ml", "x 300 ml"]),
    ({"type": "string", "pattern": "b"}, ["abc"], ["ac"]),
    ({"type": "array", "minItems": 1, "maxItems": 2}, [["a"], ["a", "a"]], [[], ["a", "b", "c"]]),
    ({"type": "array", "uniqueItems": True}, [["a", "b"]], [["a", "a"]]),
    ({"type": "array", "uniqueItems": False}, [["a", "a"]], []),
    ({"type": "array", "items": {"type": "string", "enum": ["a"]}}, [[], ["a"]], [["a", "b"]]),
    ({"type": "string", "minimum": 3}, ["x"], []),
]


@pytest.mark.parametrize(("rule", "good", "bad"), CASES, ids=lambda case: str(case)[:60])
def test_a_value_is_valid_as_the_specification_says(rule: dict[str, Any], good: list[Any], bad: list[Any]) -> None:
    AttributeRule.model_validate(rule)
    assert [value for value in good if not is_valid(rule, value)] == []
    assert [value for value in bad if is_valid(rule, value)] == []


def test_every_keyword_that_a_schema_may_have_is_checked() -> None:
    known = {*KEYWORDS, "type", "enum", "items", "title", "description"}
    assert {field.alias for field in AttributeRule.model_fields.values()} == known


def test_missing_and_additional_attributes_are_named() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a", "b"],
        "additionalProperties": False,
    }
    assert list(violations(schema, {"c": 1})) == ["a: is required", "b: is required", "c: is not allowed"]
    assert list(violations({"type": "object", "required": ["a"]}, {"a": 1, "c": 1})) == []


def test_a_pattern_cannot_block_the_process() -> None:
    began = time.perf_counter()
    assert not is_valid({"type": "string", "pattern": "^(a+)+$"}, "a" * 2000 + "!")
    assert time.perf_counter() - began < 1
