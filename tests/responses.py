"""Compares every response of a REST API with its OpenAPI document, while tests use it."""

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.routing import Route

from chassis.testing import client

PROBLEM_JSON = "application/problem+json"
HTTP_HEADERS = {
    "content-length",
    "content-type",
    "content-encoding",
    "date",
    "server",
    "transfer-encoding",
    "connection",
}
"""Headers of HTTP itself, not of the API."""
PROBLEM_FIELDS = {"type", "title", "status", "code", "detail", "request_id"}


@asynccontextmanager
async def checked_client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app that fails on undocumented statuses, headers and problems, and on every 500."""
    document = _Document(app)
    async with client(app) as http:
        http.event_hooks["response"].append(document.check)
        yield http


class _Document:
    def __init__(self, app: FastAPI) -> None:
        self._document = _openapi(app)
        self._paths = {
            re.compile(re.sub(r"\\\{\w+\\\}", r"[^/]+", re.escape(path))): operations
            for path, operations in self._document["paths"].items()
        }

    async def check(self, response: httpx.Response) -> None:
        await response.aread()
        assert response.status_code < 500 or response.status_code == 503, response.text
        assert response.headers["x-request-id"]
        responses = self._responses(response.request)
        if response.status_code >= 400:
            problem(response)
        if responses is not None:
            assert str(response.status_code) in responses, f"{response.request.url} {response.status_code}"
            documented = responses[str(response.status_code)]
            assert header_differences(self._document, documented, response.headers) == [], response.request.url
            # A path that only looks like that of a route (with an escaped slash) also gives not_found.
            if response.status_code >= 400 and response.json()["code"] != "not_found":
                _check_problem(documented, response)

    def _responses(self, request: httpx.Request) -> dict[str, Any] | None:
        """The documented responses of the route; None if there is no such route."""
        path = request.url.raw_path.partition(b"?")[0].decode()
        for pattern, operations in self._paths.items():
            if pattern.fullmatch(path) and request.method.lower() in operations:
                found: dict[str, Any] = operations[request.method.lower()]["responses"]
                return found
        return None


_DOCUMENTS: dict[tuple[object, ...], dict[str, Any]] = {}


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The document of an app, generated once for all apps with these routes: that takes half a second."""
    routes = [
        (route.path, route.methods, route.endpoint.__qualname__) for route in app.routes if isinstance(route, Route)
    ]
    key = (app.title, app.version, repr(routes))
    if key not in _DOCUMENTS:
        _DOCUMENTS[key] = app.openapi()
    return _DOCUMENTS[key]


def _check_problem(documented: Mapping[str, Any], response: httpx.Response) -> None:
    """A problem is one that its route documents, with exactly the documented fields."""
    examples, body = documented["content"][PROBLEM_JSON]["examples"], response.json()
    assert body["code"] in examples, f"{response.request.url} {body['code']}"
    assert body.keys() - examples[body["code"]]["value"].keys() == set(), f"{response.request.url} {body}"


def header_differences(document: Mapping[str, Any], documented: Mapping[str, Any], sent: Iterable[str]) -> list[str]:
    """The headers that are sent but not documented, or documented as always sent but missing."""
    described = {name.lower(): document["components"]["headers"][name] for name in documented.get("headers", {})}
    names = {name.lower() for name in sent} - HTTP_HEADERS
    required = {name for name, header in described.items() if header["required"]}
    return sorted((names - described.keys()) | (required - names))


def problem(response: httpx.Response) -> dict[str, Any]:
    """The problem details (RFC 9457) of a response, which must be complete."""
    assert response.headers["content-type"] == PROBLEM_JSON, response.text
    body: dict[str, Any] = response.json()
    assert body.keys() >= PROBLEM_FIELDS
    assert body["status"] == response.status_code
    assert body["request_id"] == response.headers["x-request-id"]
    assert re.fullmatch(r"[a-z_]+", body["code"])
    assert body["type"] == f"urn:shopstream:problem:{body['code']}"
    if response.status_code == 401:
        assert response.headers["www-authenticate"] == "Bearer"
    if response.status_code == 503:
        assert response.headers["retry-after"]
    return body


def version_tag(response: httpx.Response) -> str:
    """The entity tag of the version that was read: the response's own also names the representation."""
    return re.sub(r'\.[\w-]{12}"$', '"', response.headers["etag"])


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Assert the status and code of a problem; return its details."""
    body = problem(response)
    assert (response.status_code, body["code"]) == (status, code), response.text
    return body


def malformed_fields(response: httpx.Response) -> set[str]:
    """The fields that the problem of a malformed request names."""
    return {error["where"] for error in assert_problem(response, 422, "malformed_request")["errors"]}


async def accepted_bodies(
    api: httpx.AsyncClient,
    path: str,
    bodies: Iterable[tuple[str, bytes]],
    headers: Mapping[str, str],
    method: str = "POST",
) -> list[str]:
    """Send bodies that must all be refused as malformed; return the others, as ``name: status``."""
    found = []
    for name, body in bodies:
        response = await api.request(
            method, path, content=body, headers={"Content-Type": "application/json", **headers}
        )
        if (response.status_code, response.json().get("code")) != (422, "malformed_request"):
            found.append(f"{name}: {response.status_code}")
    return found


async def accepted_tokens(
    api: httpx.AsyncClient, method: str, path: str, tokens: Mapping[str, str], body: Any = None
) -> list[str]:
    """Send tokens that must all be refused; return those without a 401, as ``name: status``."""
    found = []
    for name, token in tokens.items():
        response = await api.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})
        if (response.status_code, response.json().get("code")) != (401, "unauthenticated"):
            found.append(f"{name}: {response.status_code}")
    return found


async def accepted_values(api: httpx.AsyncClient, method: str, path: str, values: Iterable[str]) -> list[str]:
    """Put values for ``{}`` in a path that must all give 404 or 422; return the others, as ``value: status``."""
    found = []
    for value in values:
        response = await api.request(method, path.replace("{}", value))
        if response.status_code not in (404, 422):
            found.append(f"{value[:30]}: {response.status_code}")
    return found
