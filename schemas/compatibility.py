"""Finds incompatible changes of an event's JSON Schema, for old readers of new events and new readers of old events.

Both occur: topics are replayed into today's code, and while services are deployed one after the other, an old one
reads what a new one wrote. So whatever two schemas have in common must be equal; a new schema may only add optional
fields, since readers ignore fields that they do not know.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

ANNOTATIONS = frozenset({"$schema", "$id", "$defs", "title", "description", "examples"})
"""Keywords for people, which do not change what is valid."""
_COMPARED_IN_DETAIL = frozenset({"anyOf", "enum", "const", "properties", "required", "items", "additionalProperties"})


def plain(schema: Schema, definitions: Mapping[str, Schema] | None = None) -> dict[str, Any]:
    """The schema without annotations, and with every ``$ref`` replaced by its target."""
    targets = schema.get("$defs", {}) if definitions is None else definitions
    if "$ref" in schema:
        target = targets[schema["$ref"].rpartition("/")[2]]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return {key: _plain(key, value, targets) for key, value in schema.items() if key not in ANNOTATIONS}


def _plain(key: str, value: Any, targets: Mapping[str, Schema]) -> Any:
    if key == "properties":
        return {name: plain(field, targets) for name, field in value.items()}
    if key in ("anyOf", "prefixItems"):
        return [plain(one, targets) for one in value]
    if key in ("items", "additionalProperties") and isinstance(value, dict):
        return plain(value, targets)
    return value


def incompatibilities(old: Schema, new: Schema, place: str = "event") -> Iterator[str]:
    """The incompatible changes from one plain schema to another, as ``place: what``."""
    if "anyOf" in old or "anyOf" in new:
        yield from _alternatives(old, new, place)
        return
    for key in sorted((old.keys() | new.keys()) - _COMPARED_IN_DETAIL):
        if old.get(key) != new.get(key):
            yield f"{place}: {key} was {old.get(key)!r} and is {new.get(key)!r}"
    yield from _values(old, new, place)
    yield from _fields(old, new, place)
    yield from _inner(old, new, place)


def _alternatives(old: Schema, new: Schema, place: str) -> Iterator[str]:
    before, after = _by_kind(old), _by_kind(new)
    for kind in before.keys() - after.keys():
        yield f"{place}: can no longer be {kind}, as in old events"
    for kind in after.keys() - before.keys():
        yield f"{place}: can be {kind}, which old readers refuse"
    for kind in sorted(before.keys() & after.keys()):
        yield from incompatibilities(before[kind], after[kind], place)
    if old.get("default") != new.get("default"):
        yield f"{place}: default was {old.get('default')!r} and is {new.get('default')!r}"


def _by_kind(schema: Schema) -> dict[str, Schema]:
    if "anyOf" not in schema:
        schema = {"anyOf": [{key: value for key, value in schema.items() if key != "default"}]}
    return {" ".join(filter(None, (one.get("type"), one.get("format")))): one for one in schema["anyOf"]}


def _values(old: Schema, new: Schema, place: str) -> Iterator[str]:
    before, after = _allowed(old), _allowed(new)
    if (before is None) != (after is None):
        yield f"{place}: its values {'are limited now' if before is None else 'are not limited any more'}"
    for value in sorted((before or set()) - (after or set())) if after is not None else ():
        yield f"{place}: no longer allows the value {value}, which old events have"
    for value in sorted((after or set()) - (before or set())) if before is not None else ():
        yield f"{place}: gained the value {value}, which old readers refuse"


def _allowed(schema: Schema) -> set[str] | None:
    if "const" in schema:
        return {repr(schema["const"])}
    return set(map(repr, schema["enum"])) if "enum" in schema else None


def _fields(old: Schema, new: Schema, place: str) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in before.keys() - after.keys():
        yield f"{place}.{name}: was removed, but old readers use it"
    for name in set(new.get("required", ())) - set(old.get("required", ())):
        yield f"{place}.{name}: is required now, but old events lack it"
    for name in (set(old.get("required", ())) - set(new.get("required", ()))) & after.keys():
        yield f"{place}.{name}: is optional now, but old readers require it"
    for name in before.keys() & after.keys():
        yield from incompatibilities(before[name], after[name], f"{place}.{name}")


def _inner(old: Schema, new: Schema, place: str) -> Iterator[str]:
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from incompatibilities(before, after, f"{place}{mark}")
        elif before != after:
            yield f"{place}: {key} was {before!r} and is {after!r}"
