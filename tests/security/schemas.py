"""JSON Schemas of the OpenAPI documents: what they allow, what they show, and an instance of each."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.contracts.apps import described

JSON = "application/json"


def resolved(service: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema without a reference at its top."""
    while "$ref" in schema:
        schema = described()[service]["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def objects(service: str, schema: Mapping[str, Any], path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """(place, schema) of every object in an instance of a schema; what repeats itself is looked at once or twice."""
    schema = resolved(service, schema)
    if depth > 8:
        return
    if "properties" in schema:
        yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from objects(service, inner, f"{path}/{name}", depth + 1)
    for inner in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from objects(service, inner, path, depth + 1)
    for part in ("items", "additionalProperties"):
        if isinstance(schema.get(part), dict):
            yield from objects(service, schema[part], f"{path}/*", depth + 1)


def instance(service: str, schema: Mapping[str, Any]) -> Any:
    """A value for a schema, from its examples; of an object, all that is required."""
    schema = resolved(service, schema)
    for source in ("const", "default", "example"):
        if schema.get(source) is not None:
            return schema[source]
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("enum"):
        return schema["enum"][0]
    if parts := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return instance(service, parts[0])
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: instance(service, properties[name]) for name in schema.get("required", ())}
        case "array":
            return [instance(service, schema["items"])] * schema.get("minItems", 0)
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case _:
            return "x" * schema.get("minLength", 1)


def undocumented(service: str, schema: Mapping[str, Any], value: Any, path: str = "") -> list[str]:
    """The fields of a value that its schema does not have."""
    schema = resolved(service, schema)
    if parts := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return min((undocumented(service, part, value, path) for part in parts), key=len)
    if isinstance(value, list):
        return [one for item in value for one in undocumented(service, schema.get("items", {}), item, f"{path}/*")]
    if not isinstance(value, dict):
        return []
    known, further = schema.get("properties", {}), schema.get("additionalProperties", not schema.get("properties"))
    found = []
    for name, inner in value.items():
        if name in known:
            found += undocumented(service, known[name], inner, f"{path}/{name}")
        elif isinstance(further, dict):
            found += undocumented(service, further, inner, f"{path}/{name}")
        elif not further:
            found.append(f"{path}/{name}")
    return found
