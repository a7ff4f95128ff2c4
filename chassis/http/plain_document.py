"""Makes an OpenAPI document one that generators of clients can read: OpenAPI 3.1, in its plainest terms.

FastAPI describes streams in terms of 3.2, and parameters with types that they cannot have.
"""

from typing import Any

from chassis.http.examples import operations


def make_plain(document: dict[str, Any]) -> None:
    """Change the document in place; what it says stays true."""
    for _, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            parameter["schema"] = _without_null(parameter["schema"])
        for response in operation["responses"].values():
            for body in response.get("content", {}).values():
                # In 3.1, a stream is the text of all of it.
                if body.pop("itemSchema", None) is not None:
                    body["schema"] = {"type": "string"}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter can be left out, which is not in its schema, but never be null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    about = {name: value for name, value in schema.items() if name != "anyOf" and (name, value) != ("default", None)}
    if not kinds:
        return about
    return {**kinds[0], **about} if len(kinds) == 1 else {"anyOf": kinds, **about}
