"""``python -m tests.k8s.make_schemas FILE…``: make ``tests/k8s/kinds`` from what the projects publish.

Each file is a CustomResourceDefinition, as YAML, or a schema of Kubernetes from the package kubernetes-validate
(``kubernetes-json-schema/v…-local-strict/deployment-apps-v1.json``; all of that folder has to lie beside it). What is
made is a JSON Schema without descriptions, which refuses fields that it does not know. See ``kinds/README.md``.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

KINDS = Path(__file__).parent / "kinds"
KEPT = (
    *(
        "type",
        "properties",
        "items",
        "required",
        "enum",
        "pattern",
        "additionalProperties",
        "oneOf",
        "anyOf",
        "allOf",
    ),
    *("not", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "const", "format"),
)
Schema = dict[str, Any]


def from_definition(document: Schema) -> tuple[str, Schema]:
    """The file name and the schema of a CustomResourceDefinition's newest version that is served."""
    spec = document["spec"]
    names = [version["name"] for version in spec["versions"] if version["served"]]
    chosen = "v1" if "v1" in names else names[-1]
    [version] = [version for version in spec["versions"] if version["name"] == chosen]
    schema = strict(version["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object"}
    return f"{spec['names']['kind']}.json", _identified(schema, f"{spec['group']}/{chosen}", spec["names"]["kind"])


def from_kubernetes(path: Path) -> tuple[str, Schema]:
    """The same of a kind of Kubernetes, with everything that it refers to."""
    schema = _resolved(path)
    [group] = schema["x-kubernetes-group-version-kind"]
    version = "/".join(part for part in (group["group"], group["version"]) if part)
    return f"{group['kind']}.json", _identified(strict(schema), version, group["kind"])


def _resolved(path: Path) -> Any:
    definitions = json.loads((path.parent / "_definitions.json").read_text())["$defs"]

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return resolve(definitions[node["$ref"].rpartition("/")[2]])
            return {key: resolve(value) for key, value in node.items()}
        return [resolve(one) for one in node] if isinstance(node, list) else node

    return resolve(json.loads(path.read_text()))


def _identified(schema: Schema, version: str, kind: str) -> Schema:
    schema["properties"] |= {"apiVersion": {"const": version}, "kind": {"const": kind}}
    schema["properties"].pop("status", None)
    return schema


def strict(schema: Any) -> Any:
    """Without what describes, and closed where the original prunes fields that it does not know."""
    if not isinstance(schema, dict):
        return schema
    made: Schema = {}
    for key in KEPT:
        if key in schema:
            made[key] = _part(key, schema[key])
    if schema.get("x-kubernetes-int-or-string"):
        made = {"type": ["integer", "string"]}
    if schema.get("nullable") and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    if made.get("format") not in ("int32", "int64", None):
        del made["format"]
    if (
        "properties" in made
        and not schema.get("x-kubernetes-preserve-unknown-fields")
        and made.get("type") == "object"
    ):
        made.setdefault("additionalProperties", False)
    return made


def _part(key: str, value: Any) -> Any:
    if key == "properties":
        return {name: strict(one) for name, one in value.items()}
    if key in ("oneOf", "anyOf", "allOf"):
        return [strict(one) for one in value]
    return strict(value) if key in ("items", "additionalProperties", "not") else value


if __name__ == "__main__":
    for given in map(Path, sys.argv[1:]):
        is_definition = given.suffix != ".json"
        name, made = from_definition(yaml.safe_load(given.read_text())) if is_definition else from_kubernetes(given)
        (KINDS / name).write_text(json.dumps(made, separators=(",", ":"), sort_keys=True) + "\n")
