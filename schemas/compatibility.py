"""What changes of an event's JSON Schema break: readers that are older than the event, or events that are older
than their reader.

Both are met in practice: a topic is replayed into today's code, and while services are deployed one after the
other, an old one reads what a new one wrote. So what two schemas both speak of must be the same in both; a new
schema may have further fields that can be left out, for readers ignore what they do not know.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

ANNOTATIONS = frozenset({"$schema", "$id", "$defs", "title", "description", "examples"})
"""What is said to people, and changes nothing."""
_TOLD_APART = frozenset({"anyOf", "enum", "const", "properties", "required", "items", "additionalProperties"})


def plain(schema: Schema, definitions: Mapping[str, Schema] | None = None) -> dict[str, Any]:
    """The schema without annotations, and with every ``$ref`` replaced by what it stands for."""
    known = schema.get("$defs", {}) if definitions is None else definitions
    if "$ref" in schema:
        named = known[schema["$ref"].rpartition("/")[2]]
        schema = {**named, **{key: value for key, value in schema.items() if key != "$ref"}}
    return {key: _plain(key, value, known) for key, value in schema.items() if key not in ANNOTATIONS}


def _plain(key: str, value: Any, known: Mapping[str, Schema]) -> Any:
    if key == "properties":
        return {name: plain(field, known) for name, field in value.items()}
    if key in ("anyOf", "prefixItems"):
        return [plain(one, known) for one in value]
    if key in ("items", "additionalProperties") and isinstance(value, dict):
        return plain(value, known)
    return value


def breaks(old: Schema, new: Schema, place: str = "event") -> Iterator[str]:
    """What somebody would not survive of the change from one plain schema to another, as ``place: what``."""
    if "anyOf" in old or "anyOf" in new:
        yield from _alternatives(old, new, place)
        return
    for key in sorted((old.keys() | new.keys()) - _TOLD_APART):
        if old.get(key) != new.get(key):
            yield f"{place}: {key} was {old.get(key)!r} and is {new.get(key)!r}"
    yield from _values(old, new, place)
    yield from _fields(old, new, place)
    yield from _inner(old, new, place)


def _alternatives(old: Schema, new: Schema, place: str) -> Iterator[str]:
    before, after = _by_kind(old), _by_kind(new)
    for kind in before.keys() - after.keys():
        yield f"{place}: can be no {kind} any more, as in old events"
    for kind in after.keys() - before.keys():
        yield f"{place}: can be {kind}, which old readers refuse"
    for kind in sorted(before.keys() & after.keys()):
        yield from breaks(before[kind], after[kind], place)
    if old.get("default") != new.get("default"):
        yield f"{place}: default was {old.get('default')!r} and is {new.get('default')!r}"


def _by_kind(schema: Schema) -> dict[str, Schema]:
    if "anyOf" not in schema:
        schema = {"anyOf": [{key: value for key, value in schema.items() if key != "default"}]}
    return {" ".join(filter(None, (one.get("type"), one.get("format")))): one for one in schema["anyOf"]}


def _values(old: Schema, new: Schema, place: str) -> Iterator[str]:
    before, after = _allowed(old), _allowed(new)
    if (before is None) != (after is None):
        yield f"{place}: the values that it can have are {'listed now' if before is None else 'open now'}"
    for value in sorted((before or set()) - (after or set())) if after is not None else ():
        yield f"{place}: lost the value {value}, which old events have"
    for value in sorted((after or set()) - (before or set())) if before is not None else ():
        yield f"{place}: gained the value {value}, which old readers refuse"


def _allowed(schema: Schema) -> set[str] | None:
    if "const" in schema:
        return {repr(schema["const"])}
    return set(map(repr, schema["enum"])) if "enum" in schema else None


def _fields(old: Schema, new: Schema, place: str) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in before.keys() - after.keys():
        yield f"{place}.{name}: is gone, and old readers look for it"
    for name in set(new.get("required", ())) - set(old.get("required", ())):
        yield f"{place}.{name}: must be there, and old events lack it"
    for name in (set(old.get("required", ())) - set(new.get("required", ()))) & after.keys():
        yield f"{place}.{name}: can be left out, and old readers need it"
    for name in before.keys() & after.keys():
        yield from breaks(before[name], after[name], f"{place}.{name}")


def _inner(old: Schema, new: Schema, place: str) -> Iterator[str]:
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from breaks(before, after, f"{place}{mark}")
        elif before != after:
            yield f"{place}: {key} was {before!r} and is {after!r}"
