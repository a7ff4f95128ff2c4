"""The description of the REST API: every field says what it looks like, every route how it can fail."""

from typing import Any

from fastapi import FastAPI

EVERYWHERE = {"HTTPValidationError", "Problem", "SummaryOut", "ValidationError"}
"""Not of this service alone."""


def shown(field: dict[str, Any]) -> bool:
    """Can a reader see what goes there?"""
    kinds = [field, *field.get("anyOf", ())]
    return any(
        {"examples", "enum", "const", "$ref", "default"} & kind.keys()
        or kind.get("type") == "boolean"
        or "$ref" in kind.get("items", {})
        for kind in kinds
    )


def test_every_field_has_an_example(app: FastAPI) -> None:
    schemas = {n: s for n, s in app.openapi()["components"]["schemas"].items() if n not in EVERYWHERE}
    assert len(schemas) > 20
    bare = [
        f"{n}.{f}" for n, s in schemas.items() for f, field in s.get("properties", {}).items() if not shown(field)
    ]
    assert bare == []


def test_every_route_says_how_it_can_fail(app: FastAPI) -> None:
    routes = [
        (method, path, route)
        for path, methods in app.openapi()["paths"].items()
        if path.startswith("/v1") and not path.startswith("/v1/ops")
        for method, route in methods.items()
    ]
    assert len(routes) > 20
    for method, path, route in routes:
        described = route["responses"]
        assert {"422", "503"} <= described.keys(), path
        assert ("401" in described) >= bool(route.get("security")), path
        if method in ("put", "patch", "delete"):
            assert {"412", "428"} <= described.keys(), path
        for status, answer in described.items():
            assert status < "400" or answer["description"].startswith("`"), f"{path} {status}"


def test_what_is_said_of_me_is_not_looked_for_among_the_ids(app: FastAPI) -> None:
    paths = list(app.openapi()["paths"])
    assert paths.index("/v1/customers/me") < paths.index("/v1/customers/{customer_id}")
