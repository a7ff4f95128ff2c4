"""Which changes of a contract are compatible with old events and old readers."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, create_model

from schemas.compatibility import incompatibilities, plain


class Part(BaseModel):
    """A nested object."""

    sku: str
    quantity: int = Field(ge=1)


class Changed(Part):
    """A nested object with one more required field."""

    name: str


BEFORE: dict[str, Any] = {
    "id": (UUID, ...),
    "name": (str, Field(pattern="^[A-Z]", description="of somebody", examples=["Ada"])),
    "state": (Literal["open", "closed"], ...),
    "note": (str | None, None),
    "count": (int, 1),
    "parts": (list[Part], Field(min_length=1)),
    "tags": (dict[str, int], ...),
}

COMPATIBLE: dict[str, dict[str, Any]] = {
    "nothing": {},
    "other annotations": {
        "name": (str, Field(pattern="^[A-Z]", description="of anybody", examples=["Bob"], title="N"))
    },
    "another optional field": {"more": (str | None, None)},
    "another field with a default": {"revision": (int, 1)},
}

INCOMPATIBLE: dict[str, tuple[dict[str, Any], str]] = {
    "a removed field": ({"note": None}, "event.note: was removed, but old readers use it"),
    "a new required field": ({"more": (str, ...)}, "event.more: is required now, but old events lack it"),
    "a field that becomes required": (
        {"count": (int, ...)},
        "event.count: is required now, but old events lack it",
    ),
    "a field that becomes optional": (
        {"id": (UUID | None, None)},
        "event.id: is optional now, but old readers require it",
    ),
    "null allowed": ({"id": (UUID | None, ...)}, "event.id: can be null, which old readers refuse"),
    "null not allowed any more": ({"note": (str, "")}, "event.note: can no longer be null, as in old events"),
    "another default": ({"count": (int, 2)}, "event.count: default was 1 and is 2"),
    "another type": ({"count": (str, 1)}, "event.count: type was 'integer' and is 'string'"),
    "another format": ({"id": (datetime, ...)}, "event.id: format was 'uuid' and is 'date-time'"),
    "one more type": ({"count": (int | str, 1)}, "event.count: can be string, which old readers refuse"),
    "a removed value": (
        {"state": (Literal["open"], ...)},
        "event.state: no longer allows the value 'closed', which old events have",
    ),
    "an added value": (
        {"state": (Literal["open", "closed", "lost"], ...)},
        "event.state: gained the value 'lost', which old readers refuse",
    ),
    "values not limited any more": ({"state": (str, ...)}, "event.state: its values are not limited any more"),
    "values limited to a list": (
        {"name": (Literal["Ada"], Field(pattern="^[A-Z]"))},
        "event.name: its values are limited now",
    ),
    "a narrower pattern": ({"name": (str, Field(pattern="^A"))}, "event.name: pattern was '^[A-Z]' and is '^A'"),
    "a limit": ({"count": (int, Field(default=1, le=9))}, "event.count: maximum was None and is 9"),
    "a removed limit": ({"parts": (list[Part], ...)}, "event.parts: minItems was 1 and is None"),
    "a field of a nested object": (
        {"parts": (list[Changed], Field(min_length=1))},
        "event.parts[].name: is required now, but old events lack it",
    ),
    "values of a map": ({"tags": (dict[str, str], ...)}, "event.tags{}: type was 'integer' and is 'string'"),
    "a map of anything": (
        {"tags": (dict[str, Any], ...)},
        "event.tags: additionalProperties was {'type': 'integer'} and is True",
    ),
}


def schema(**changes: Any) -> dict[str, Any]:
    fields = {name: field for name, field in (BEFORE | changes).items() if field is not None}
    return plain(create_model("Sample", **fields).model_json_schema())


@pytest.mark.parametrize("what", COMPATIBLE)
def test_a_compatible_change_is_accepted(what: str) -> None:
    assert list(incompatibilities(schema(), schema(**COMPATIBLE[what]))) == []


@pytest.mark.parametrize("what", INCOMPATIBLE)
def test_an_incompatible_change_is_named(what: str) -> None:
    changes, message = INCOMPATIBLE[what]
    assert message in set(incompatibilities(schema(), schema(**changes)))


def test_a_plain_schema_has_no_references() -> None:
    """A released schema must not depend on definitions that can change."""
    assert "$ref" not in str(schema())
    assert schema()["properties"]["parts"]["items"]["properties"]["quantity"] == {"type": "integer", "minimum": 1}
