"""Which changes of a contract old events and old readers survive."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, create_model

from schemas.compatibility import breaks, plain


class Part(BaseModel):
    """Something inside of it."""

    sku: str
    quantity: int = Field(ge=1)


class Changed(Part):
    """A part with a further field that nobody may leave out."""

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

SURVIVED: dict[str, dict[str, Any]] = {
    "nothing": {},
    "other words": {"name": (str, Field(pattern="^[A-Z]", description="of anybody", examples=["Bob"], title="N"))},
    "a further field that can be left out": {"more": (str | None, None)},
    "a further field with a default": {"revision": (int, 1)},
}

BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "a field that is gone": ({"note": None}, "event.note: is gone, and old readers look for it"),
    "a field that must be there": ({"more": (str, ...)}, "event.more: must be there, and old events lack it"),
    "a field that must be there now": ({"count": (int, ...)}, "event.count: must be there, and old events lack it"),
    "a field that can be left out": (
        {"id": (UUID | None, None)},
        "event.id: can be left out, and old readers need it",
    ),
    "null, where there was none": ({"id": (UUID | None, ...)}, "event.id: can be null, which old readers refuse"),
    "null no more": ({"note": (str, "")}, "event.note: can be no null any more, as in old events"),
    "another default": ({"count": (int, 2)}, "event.count: default was 1 and is 2"),
    "another type": ({"count": (str, 1)}, "event.count: type was 'integer' and is 'string'"),
    "another format": ({"id": (datetime, ...)}, "event.id: format was 'uuid' and is 'date-time'"),
    "one more type": ({"count": (int | str, 1)}, "event.count: can be string, which old readers refuse"),
    "a value less": (
        {"state": (Literal["open"], ...)},
        "event.state: lost the value 'closed', which old events have",
    ),
    "a value more": (
        {"state": (Literal["open", "closed", "lost"], ...)},
        "event.state: gained the value 'lost', which old readers refuse",
    ),
    "any value": ({"state": (str, ...)}, "event.state: the values that it can have are open now"),
    "a list of values": (
        {"name": (Literal["Ada"], Field(pattern="^[A-Z]"))},
        "event.name: the values that it can have are listed now",
    ),
    "a narrower pattern": ({"name": (str, Field(pattern="^A"))}, "event.name: pattern was '^[A-Z]' and is '^A'"),
    "a limit": ({"count": (int, Field(default=1, le=9))}, "event.count: maximum was None and is 9"),
    "a limit that is gone": ({"parts": (list[Part], ...)}, "event.parts: minItems was 1 and is None"),
    "a field deep inside": (
        {"parts": (list[Changed], Field(min_length=1))},
        "event.parts[].name: must be there, and old events lack it",
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


@pytest.mark.parametrize("what", SURVIVED)
def test_a_change_that_everybody_survives_breaks_nothing(what: str) -> None:
    assert list(breaks(schema(), schema(**SURVIVED[what]))) == []


@pytest.mark.parametrize("what", BROKEN)
def test_a_change_that_somebody_does_not_survive_is_named(what: str) -> None:
    changes, named = BROKEN[what]
    assert named in set(breaks(schema(), schema(**changes)))


def test_a_plain_schema_stands_by_itself() -> None:
    """What is kept must not depend on definitions that are changed elsewhere."""
    assert "$ref" not in str(schema())
    assert schema()["properties"]["parts"]["items"]["properties"]["quantity"] == {"type": "integer", "minimum": 1}
