"""The OpenAPI document of an app: every route with its errors, headers and examples."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, Field

from chassis.http.bodies import Problem
from chassis.http.errors import NotFound
from chassis.http.examples import operations
from chassis.http.headers import BY_STATUS, EVERYWHERE
from chassis.http.openapi import described as described_with
from chassis.http.routing import new_router, problems
from tests.contracts.apps import SERVICES, described
from tests.responses import header_differences

PROBLEM_JSON = "application/problem+json"
CONDITIONAL = {"PUT", "PATCH", "DELETE"}
WRITES = {"POST", *CONDITIONAL}

every_service = pytest.mark.parametrize("service", SERVICES)
Document = dict[str, Any]


def responses(document: Document) -> Iterator[tuple[str, str, Document]]:
    """(route, status, response)."""
    for route, operation in operations(document):
        for status, response in operation["responses"].items():
            yield route, status, response


def fields(document: Document) -> Iterator[tuple[str, Document]]:
    for name, schema in document["components"]["schemas"].items():
        for field, one in schema.get("properties", {}).items():
            yield f"{name}.{field}", one


def bodies(document: Document) -> Iterator[tuple[str, Document]]:
    """Every body that clients send or get."""
    for route, operation in operations(document):
        for media, body in operation.get("requestBody", {}).get("content", {}).items():
            yield f"{route} {media}", body
    for route, status, response in responses(document):
        for media, body in response.get("content", {}).items():
            yield f"{route} {status} {media}", body


def examples(shown: Document) -> list[Any]:
    """Of a body, a field or a parameter."""
    if "examples" in shown:
        documented = shown["examples"]
        return [one["value"] for one in documented.values()] if isinstance(documented, dict) else list(documented)
    return [shown["example"]] if "example" in shown else []


def faults(document: Document, schema: Document, value: Any) -> list[str]:
    """What is wrong with a value, by a schema of the document."""
    whole = {**schema, "components": document["components"]}
    return [error.message for error in jsonschema_rs.validator_for(whole, validate_formats=True).iter_errors(value)]


def is_composed(field: Document) -> bool:
    """Is it, or is each of it, described elsewhere?"""
    return any("$ref" in one for one in (field, field.get("items", {}), *field.get("anyOf", ())))


@every_service
def test_every_field_of_a_body_has_an_example(service: str) -> None:
    document = described()[service]
    assert [name for name, field in fields(document) if not (examples(field) or is_composed(field))] == []


@every_service
def test_every_parameter_has_an_example(service: str) -> None:
    for route, operation in operations(described()[service]):
        for parameter in operation.get("parameters", ()):
            assert examples(parameter["schema"]), f"{route} {parameter['name']}"


@every_service
def test_every_body_has_a_complete_example(service: str) -> None:
    document = described()[service]
    shown = {place: examples(body) for place, body in bodies(document)}
    assert len(shown) > 50
    assert [place for place, documented in shown.items() if not documented] == []


@every_service
def test_an_example_has_every_field_of_a_response(service: str) -> None:
    document = described()[service]
    for place, body in bodies(document):
        name = body.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if name and PROBLEM_JSON not in place:
            [example] = examples(body)
            assert example.keys() == document["components"]["schemas"][name]["properties"].keys(), place


@every_service
def test_examples_are_as_their_schemas_say(service: str) -> None:
    document = described()[service]
    shown = [*fields(document), *document["components"]["schemas"].items()]
    for route, operation in operations(document):
        shown += [(f"{route} {one['name']}", one["schema"]) for one in operation.get("parameters", ())]
    pairs = [(place, one, example) for place, one in shown for example in examples(one)]
    # A body without a schema can be anything.
    pairs += [(place, body.get("schema", {}), one) for place, body in bodies(document) for one in examples(body)]
    assert {place: wrong for place, schema, one in pairs if (wrong := faults(document, schema, one))} == {}


@every_service
def test_every_error_is_promised_as_problem_details_with_an_example_of_each_reason(service: str) -> None:
    seen = set()
    for route, status, response in responses(described()[service]):
        if status < "400" or not route.partition(" ")[2].startswith("/v1"):
            continue
        [(media, body)] = response["content"].items()
        assert (media, body["schema"]) == (PROBLEM_JSON, {"$ref": "#/components/schemas/Problem"})
        documented = {line.partition("`: ")[0].lstrip("`") for line in response["description"].split("\n\n")}
        assert documented == body["examples"].keys(), f"{route} {status}"
        for code, example in body["examples"].items():
            value = example["value"]
            assert (value["code"], value["status"]) == (code, int(status)), route
            assert value["type"] == f"urn:shopstream:problem:{code}"
            assert value["detail"].endswith((".", '".', ")."))
            seen.add(code)
    assert {"malformed_request", "unavailable", "body_too_large", "outcome_unknown", "forbidden"} <= seen


@every_service
def test_every_route_says_how_it_can_fail(service: str) -> None:
    for route, operation in operations(described()[service]):
        method, path = route.split(" ")
        if not path.startswith("/v1"):
            continue
        promised = operation["responses"]
        assert {"413", "422", "503"} <= promised.keys(), route
        assert ("401" in promised) >= bool(operation.get("security")), route
        assert ("outcome_unknown" in promised["503"]["content"][PROBLEM_JSON]["examples"]) == (method in WRITES)
        # An action that is done once for each key, under a lock, needs no precondition.
        if method in CONDITIONAL and not any(one["name"] == "Idempotency-Key" for one in operation["parameters"]):
            assert {"412", "428"} <= promised.keys(), route


@every_service
def test_every_response_documents_its_headers(service: str) -> None:
    document = described()[service]
    known = document["components"]["headers"]
    assert [name for name, one in known.items() if faults(document, one["schema"], one["example"])] == []
    for route, status, response in responses(document):
        for name, header in response["headers"].items():
            assert header == {"$ref": f"#/components/headers/{name}"}
            assert name in known
        assert response["headers"].keys() >= set(EVERYWHERE), route
        if route.partition(" ")[2].startswith("/v1"):
            assert response["headers"].keys() >= set(BY_STATUS.get(int(status), ())), f"{route} {status}"


@every_service
def test_no_route_is_shadowed_by_an_earlier_one(service: str) -> None:
    """What is said of me is not to be looked for among the ids."""
    before: list[tuple[str, re.Pattern[str]]] = []
    for route, _ in operations(described()[service]):
        assert [other for other, pattern in before if pattern.fullmatch(route)] == [], route
        before.append((route, re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route)))))


def test_response_headers_are_compared_with_the_documented_ones() -> None:
    document = described()["order"]
    promised = document["paths"]["/v1/orders"]["post"]["responses"]["202"]
    sent = ["Location", "ETag", *EVERYWHERE, "Content-Type", "Preference-Applied"]
    assert header_differences(document, promised, sent) == []
    assert header_differences(document, promised, [*EVERYWHERE, "accept"]) == ["accept", "etag", "location"]


def test_routes_do_not_share_their_documentation() -> None:
    """Two apps of the same routes, and one that describes itself twice: what is added is added once."""
    app = FastAPI()
    router = new_router(NotFound)
    router.add_api_route("/v1/things", lambda: None, methods=["POST"])
    app.include_router(router)
    app.openapi = described_with(app, Problem, problems(NotFound))  # type: ignore[method-assign]
    first, second = app.openapi(), app.openapi()
    assert first is second
    assert first["paths"]["/v1/things"]["post"]["responses"]["404"]["description"].count("not_found") == 2
    assert problems(NotFound)[404]["description"].count("not_found") == 1


def test_a_field_without_an_example_of_its_own_or_of_its_type_stays_without() -> None:
    class Thing(BaseModel):
        name: str
        size: int | None = Field(default=None, examples=[3])

    async def read() -> Thing:
        return Thing(name="x")

    app = FastAPI()
    app.add_api_route("/things", read)
    app.openapi = described_with(app, Problem, {})  # type: ignore[method-assign]
    document = app.openapi()
    thing = document["components"]["schemas"]["Thing"]["properties"]
    assert "examples" not in thing["name"]
    assert thing["size"]["examples"] == [3]
    assert "example" not in document["paths"]["/things"]["get"]["responses"]["200"]["content"]["application/json"]


async def test_a_405_names_the_methods_of_all_routes_of_the_path() -> None:
    from chassis.http.in_progress import InProgress
    from chassis.http.middleware import RequestMiddleware
    from chassis.http.responses import HANDLERS

    app = FastAPI()
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)
    app.add_middleware(RequestMiddleware, in_progress=InProgress())
    app.add_api_route("/things/first", lambda: None, methods=["GET"])
    app.add_api_route("/things/{name}", lambda name: None, methods=["GET"])
    app.add_api_route("/things/{name}", lambda name: None, methods=["PUT"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        assert (await client.delete("/things/1")).headers["allow"] == "GET, HEAD, PUT"
        assert (await client.delete("/things/first")).headers["allow"] == "GET, HEAD"
