"""The catalogue of events as a page: docs/events.md."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from schemas import CATALOGUE, TOPICS, Event, golden
from tests.contracts.parties import listeners, tellers

HEAD = """# Events

Written by `python -m tests.contracts` out of `schemas/` and the services' handlers; a test holds it to them. The same
for machines: [asyncapi.json](asyncapi.json) (AsyncAPI 3). What may be changed in an event, and how, stands in
[CONTRIBUTING.md](../CONTRIBUTING.md).

Every event is a CloudEvents 1.0 message in binary mode. Its attributes are headers of the Kafka record; the value is
the JSON below. The record's key is the id of what the event is about; within a key, order is kept. A reader ignores
fields that it does not know.

| header | what it has |
|---|---|
| `ce_specversion` | `1.0` |
| `ce_id` | the event's id (UUIDv7); an event that comes twice has the same |
| `ce_source` | who told it: `/shopstream/order_svc` |
| `ce_type` | what happened: `order.placed` |
| `ce_time` | when, with its offset |
| `ce_subject` | the same as the key |
| `ce_dataschema` | `urn:shopstream:schema:<type>:<version>` |
| `ce_aggregateversion` | counts the events of a key, from 1, without gaps |
| `ce_causationid` | the id of the event or request that led to this one, if there is one |
| `ce_traceparent` | the W3C trace that it belongs to, if there is one |
| `content-type` | `application/json` |
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_overview(), *(line for topic in TOPICS for line in _topic(topic)), *_values()])


def _overview() -> Iterator[str]:
    yield "| event | version | told by | heard by |"
    yield "|---|---:|---|---|"
    for event in _events():
        link = f"[`{event.type}`](#{_anchor(event)})"
        yield f"| {link} | {event.version} | {_names(tellers()[event])} | {_names(listeners()[event])} |"
    yield ""


def _topic(topic: str) -> Iterator[str]:
    events = [event for event in _events() if event.topic == topic]
    yield from (f"## {topic}", "")
    for event in events:
        yield from _section(event)


def _section(event: type[Event]) -> Iterator[str]:
    schema = event.model_json_schema()
    yield from (f"### {event.type} v{event.version}", "", " ".join((event.__doc__ or "").split()), "")
    yield f"Told by {_names(tellers()[event])}, heard by {_names(listeners()[event])}. Key: `{event.key_field}`."
    yield ""
    yield from _fields(schema)
    value = golden.example(event).model_dump(mode="json")
    yield from ("", "```json", json.dumps(value, indent=2, ensure_ascii=False), "```", "")


def _values() -> Iterator[str]:
    yield from ("## Values", "", "What the fields above are made of.", "")
    known: dict[str, Any] = {}
    for event in _events():
        known |= event.model_json_schema().get("$defs", {})
    for name in sorted(known):
        yield from (f"### {name}", "", " ".join(known[name].get("description", "").split()), "")
        yield from _fields(known[name])
        yield ""


def _fields(schema: Mapping[str, Any]) -> Iterator[str]:
    yield "| field | what it is | can be left out |"
    yield "|---|---|---|"
    required = set(schema.get("required", ()))
    for name, field in schema["properties"].items():
        default = json.dumps(field.get("default"))
        yield f"| `{name}` | {_kind(field)} | {'' if name in required else f'yes: `{default}`'} |"


def _kind(field: Mapping[str, Any]) -> str:
    """A JSON Schema in words."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in field:
        return " or ".join(_kind(one) for one in field["anyOf"])
    if "enum" in field or "const" in field:
        return " or ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    if field.get("type") == "array":
        return f"list of {_kind(field['items'])}{', one or more' if field.get('minItems') else ''}"
    return str(field.get("format", field["type"])).replace("uuid", "UUID").replace("date-time", "time")


def _events() -> list[type[Event]]:
    order = list(TOPICS)
    return sorted(CATALOGUE.values(), key=lambda event: (order.index(event.topic), event.type, event.version))


def _anchor(event: type[Event]) -> str:
    # As GitHub makes it of the heading: without dots, with dashes for blanks.
    return f"{event.type.replace('.', '')}-v{event.version}"


def _names(services: tuple[str, ...]) -> str:
    return ", ".join(services) or "nobody"
