"""What generators of clients need of the OpenAPI documents: nothing that they leave out.

They read OpenAPI 3.1, name functions by operation ids, and leave out routes with a parameter, a body or a response
whose type they do not know.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic_core import Url

from chassis.http.examples import operations
from chassis.http.introduction import LOCAL, introduction, servers
from deploy.system import SYSTEM
from tests.contracts.apps import SERVICES, described

every_service = pytest.mark.parametrize("service", SERVICES)

BODIES = re.compile(r"application/(.+\+)?json|application/octet-stream")
RESPONSES = re.compile(rf"text/.+|{BODIES.pattern}")
KEYWORDS_OF_3_2 = {"itemSchema", "itemEncoding", "prefixEncoding", "querystring", "$self", "mediaTypes"}
IN_PATHS_AND_HEADERS = {"string", "integer", "boolean", "number"}


def keywords(value: Any) -> Iterator[str]:
    """All names of fields, at any depth."""
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keywords(inner)


def kinds(schema: dict[str, Any]) -> set[str]:
    return {kind for one in schema.get("anyOf", [schema]) for kind in [one.get("type")]}


@every_service
def test_a_document_is_openapi_3_1(service: str) -> None:
    document = described()[service]
    assert document["openapi"] == "3.1.0"
    assert not KEYWORDS_OF_3_2 & set(keywords(document))


@every_service
def test_operation_ids_are_short_and_unique(service: str) -> None:
    ids = [operation["operationId"] for _, operation in operations(described()[service])]
    assert [one for one in ids if not re.fullmatch(r"[a-z]+(_[a-z]+)+", one) or len(one) > 32] == []
    assert len(set(ids)) == len(ids)


@every_service
def test_every_parameter_has_a_plain_type(service: str) -> None:
    for route, operation in operations(described()[service]):
        for parameter in operation.get("parameters", ()):
            place = f"{route} {parameter['name']}"
            many = parameter["in"] == "query" and parameter["schema"].get("type") == "array"
            schema = parameter["schema"]["items"] if many else parameter["schema"]
            assert kinds(schema) <= IN_PATHS_AND_HEADERS, place


@every_service
def test_one_type_of_every_body_is_one_that_generators_know(service: str) -> None:
    for route, operation in operations(described()[service]):
        if body := operation.get("requestBody"):
            assert any(map(BODIES.fullmatch, body["content"])), route
        for status, response in operation["responses"].items():
            if content := response.get("content"):
                assert any(map(RESPONSES.fullmatch, content)), f"{route} {status}"
                assert all("schema" in body for body in content.values()), f"{route} {status}"


@every_service
def test_the_introduction_leads_to_every_service(service: str) -> None:
    document = described()[service]
    for one in SYSTEM.services:
        url = f"http://127.0.0.1:{one.rest_front.port}"
        assert LOCAL[one.package] == url
        assert (
            f"[{one.package}]({url}/docs) ([OpenAPI document]({url}/openapi.json))" in document["info"]["description"]
        )
    assert document["servers"] == [{"url": "/", "description": "where this document comes from"}]


def test_an_installation_names_its_own_urls() -> None:
    urls = {"order_svc": Url("https://api.example.com/orders/"), "product_svc": Url("https://products.example.com")}
    text = introduction(urls)
    assert "(https://api.example.com/orders/docs)" in text
    assert "(https://products.example.com/openapi.json)" in text
    assert "127.0.0.1" not in text
    assert [one["url"] for one in servers("order_svc", urls)] == ["/", "https://api.example.com/orders"]
    assert [one["url"] for one in servers("notifier_svc", urls)] == ["/"]
