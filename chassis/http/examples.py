"""The examples of an OpenAPI document: of each field and parameter, and of whole bodies.

Most fields declare theirs (``examples=[…]``). For an id, a time or an enumeration it follows from the type. The
example of a body is made of its fields' examples, unless the body declares its own.
"""

from collections.abc import Iterator, Mapping
from typing import Any

ID = "019b7c61-0000-7000-8000-00009395c3f3"
MOMENT = "2026-01-02T03:04:05Z"
_FORMATS = {"uuid": ID, "date-time": MOMENT}
_TYPES = {"boolean": True, "null": None}

_NONE = object()
Schema = dict[str, Any]


def complete(document: Schema) -> None:
    """Add an example to every part of the document that has none and can have one."""
    schemas = document.get("components", {}).get("schemas", {})
    for field in (*_fields(schemas), *(one["schema"] for one in _parameters(document))):
        if "examples" not in field and not _refers(field) and (made := _example(field, schemas)) is not _NONE:
            field["examples"] = [made]
    for schema in schemas.values():
        if "examples" in schema:
            schema["examples"] = [_whole(one, schema, schemas) for one in schema["examples"]]
    for body in _bodies(document):
        schema = body.get("schema", {})
        if "example" in body:
            body["example"] = _whole(body["example"], schema, schemas)
        elif "examples" not in body and (made := _example(schema, schemas)) is not _NONE:
            body["example"] = made


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, Schema]]:
    """Every operation, as ``GET /v1/orders``, and its description."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def _fields(schemas: Mapping[str, Schema]) -> Iterator[Schema]:
    for schema in schemas.values():
        yield from schema.get("properties", {}).values()


def _parameters(document: Schema) -> Iterator[Schema]:
    for _, operation in operations(document):
        yield from operation.get("parameters", ())


def _bodies(document: Schema) -> Iterator[Schema]:
    for _, operation in operations(document):
        for place in (operation.get("requestBody", {}), *operation["responses"].values()):
            yield from place.get("content", {}).values()


def _whole(value: Any, schema: Schema, schemas: Mapping[str, Schema]) -> Any:
    """FastAPI omits null values, in examples too: put them back where they are required."""
    if "$ref" in schema:
        return _whole(value, schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if isinstance(value, dict) and "properties" in schema:
        names = [name for name in schema["properties"] if name in value or name in schema.get("required", ())]
        return {name: _whole(value.get(name), schema["properties"][name], schemas) for name in names}
    if isinstance(value, list):
        return [_whole(one, schema.get("items", {}), schemas) for one in value]
    other = next((one for one in schema.get("anyOf", ()) if "$ref" in one), None)
    return _whole(value, other, schemas) if other and isinstance(value, dict) else value


def _refers(field: Schema) -> bool:
    return any("$ref" in one for one in (field, field.get("items", {}), *field.get("anyOf", ())))


def _example(schema: Schema, schemas: Mapping[str, Schema]) -> Any:
    """An example of a schema's value, or ``_NONE``."""
    if "$ref" in schema:
        return _example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for candidates in (schema.get("examples"), [schema["const"]] if "const" in schema else None, schema.get("enum")):
        if candidates:
            return candidates[0]
    if schema.get("default") not in (None, []):
        return schema["default"]
    if "properties" in schema:
        made = {name: _example(field, schemas) for name, field in schema["properties"].items()}
        return _NONE if _NONE in made.values() else made
    if "items" in schema:
        made = _example(schema["items"], schemas)
        return _NONE if made is _NONE else [made]
    for one in schema.get("anyOf", ()):
        # An optional value is shown as it looks when present.
        if one != {"type": "null"} and (made := _example(one, schemas)) is not _NONE:
            return made
    return _TYPES.get(schema.get("type", ""), _FORMATS.get(schema.get("format", ""), _NONE))
