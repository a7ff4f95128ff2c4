"""What holds for the requests of every route: unknown query parameters, HEAD, compressed bodies."""

import gzip
import json
import re
from collections.abc import Iterator, Mapping

import httpx
import pytest
from fastapi import FastAPI

from chassis.http.routing import MAX_BODY
from chassis.testing import bearer
from tests.contracts.apps import SERVICES, described, unstarted
from tests.contracts.rest_apis import RestApis
from tests.contracts.shop import Belongings
from tests.responses import assert_problem, malformed_fields

METHODS = ("get", "put", "post", "patch", "delete")
ID = "019b7c61-0000-7000-8000-000000000001"
GOOD_BODIES = {"/v1/orders": {"lines": [{"sku": "MUG", "quantity": 1}]}}
"""For hot routes, which look at the body before the query."""
ZIPPED = {"Content-Type": "application/json", "Content-Encoding": "gzip"}


def routes(service: str, ids: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(method, path with ids)."""
    for path, operations in described()[service]["paths"].items():
        for method in METHODS:
            if method in operations:
                yield method, re.sub(r"{([^}]*)}", lambda name: ids.get(name[1], ID), path)


def client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.mark.parametrize("service", SERVICES)
async def test_an_unknown_query_parameter_is_malformed_on_every_route(
    apis: RestApis, belongings: Belongings, service: str
) -> None:
    roles = [{}, belongings.owner.headers, bearer(role="staff"), bearer(role="ops")]
    async with httpx.AsyncClient(base_url=apis.urls[service], timeout=60) as api:
        for method, path in routes(service, belongings.ids):
            url, body = f"{path}?limt=2&limt=3&%C3%A4=", GOOD_BODIES.get(path)
            responses = [await api.request(method, url, headers=who, json=body) for who in roles]
            # Those who may not use the route learn that, and nothing of its parameters.
            [response, *_] = [one for one in responses if one.status_code not in (401, 403)]
            assert malformed_fields(response) == {"query/limt", "query/\u00e4"}, f"{method} {path}"
            assert {error["type"] for error in response.json()["errors"]} == {"extra_forbidden"}


async def test_pages_for_people_take_what_is_added_to_links() -> None:
    async with client(unstarted()["customer"]) as api:
        for path in ("/verify-email", "/docs", "/openapi.json"):
            assert (await api.get(f"{path}?utm_source=mail")).status_code == 200, path


@pytest.mark.parametrize("service", SERVICES)
async def test_head_is_answered_as_get_without_the_body(apis: RestApis, service: str) -> None:
    paths = {path for method, path in routes(service, {}) if method == "get"} | {"/openapi.json", "/docs"}
    async with httpx.AsyncClient(base_url=apis.urls[service], timeout=60) as api:
        for path in sorted(paths):
            head, get = await api.head(path), await api.get(path)
            assert (head.status_code, head.content) == (get.status_code, b""), path
            for name in ("content-type", "content-length", "www-authenticate", "etag"):
                # The id of the request, which errors repeat, has the same length in both.
                assert head.headers.get(name) == get.headers.get(name), f"{path} {name}"
            assert head.headers["x-request-id"]
        assert {(await api.head("/health/live")).status_code, (await api.head("/health/ready")).status_code} == {200}


async def test_head_of_what_is_only_written_is_not_allowed(apis: RestApis) -> None:
    async with httpx.AsyncClient(base_url=apis.urls["customer"]) as api:
        assert (await api.head("/v1/sessions")).status_code == 405
        wrong = await api.put("/v1/customers")
        assert_problem(wrong, 405, "method_not_allowed")
        assert wrong.headers["allow"] == "GET, HEAD, POST"


async def test_a_body_can_be_compressed(apis: RestApis) -> None:
    body = json.dumps({"email": "nobody@example.com", "password": "wrong horse battery"}).encode()
    async with httpx.AsyncClient(base_url=apis.urls["customer"]) as api:
        for content in (gzip.compress(body), gzip.compress(body[:9]) + gzip.compress(body[9:])):
            response = await api.post("/v1/sessions", content=content, headers=ZIPPED)
            assert_problem(response, 401, "wrong_credentials")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (gzip.compress(b'"' + b"x" * MAX_BODY), 413, "body_too_large"),
        (gzip.compress(bytes(10**8), 9), 413, "body_too_large"),
        (gzip.compress(b"{}")[:-4], 422, "malformed_request"),
        (gzip.compress(b"{}") + b"{}", 422, "malformed_request"),
        (gzip.compress(b"") * 1000, 422, "malformed_request"),
        (b"{}", 422, "malformed_request"),
        (b"", 422, "malformed_request"),
    ],
    ids=["large", "a bomb", "cut off", "more behind", "many members", "plain", "empty"],
)
async def test_a_compressed_body_has_the_limit_of_any_body(
    apis: RestApis, content: bytes, status: int, code: str
) -> None:
    async with httpx.AsyncClient(base_url=apis.urls["customer"]) as api:
        assert_problem(await api.post("/v1/sessions", content=content, headers=ZIPPED), status, code)


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", ""])
async def test_another_encoding_is_refused_with_those_that_are_known(apis: RestApis, encoding: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    async with httpx.AsyncClient(base_url=apis.urls["customer"]) as api:
        response = await api.post("/v1/sessions", content=b"{}", headers=headers)
    assert_problem(response, 415, "unsupported_encoding")
    assert response.headers["accept-encoding"] == "gzip"


async def test_head_of_a_stream_ends_at_once(apis: RestApis, belongings: Belongings) -> None:
    headers = {**belongings.owner.headers, "Accept": "text/event-stream"}
    async with httpx.AsyncClient(base_url=apis.urls["order"], headers=headers, timeout=60) as api:
        for _ in range(2):
            head = await api.head(f"/v1/orders/{belongings.ids['order_id']}/timeline")
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["content-type"].startswith("text/event-stream")


async def test_what_a_client_has_is_not_sent_again_and_what_is_long_is_compressed(apis: RestApis) -> None:
    """By the real server: a response without content ends, and its connection goes on."""
    async with httpx.AsyncClient(base_url=apis.urls["product"]) as api:
        document = await api.get("/openapi.json")
        assert (document.headers["content-encoding"], document.json()["openapi"]) == ("gzip", "3.1.0")
        assert document.headers["vary"] == "Accept-Encoding, Authorization"
        condition = {"If-None-Match": document.headers["etag"]}
        for method in ("GET", "HEAD", "GET"):
            same = await api.request(method, "/openapi.json", headers=condition)
            assert (same.status_code, same.content, same.headers["cache-control"]) == (
                304,
                b"",
                "public, max-age=300",
            )
        short = await api.get("/v1/products/suggestions", params={"q": "nothing begins like this"})
        assert (short.status_code, "content-encoding" in short.headers) == (200, False)
