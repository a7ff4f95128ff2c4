"""Every answer of a REST API held against its OpenAPI description, while the tests use it."""

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from chassis.testing import client

PROBLEM_JSON = "application/problem+json"
OF_HTTP = {"content-length", "content-type", "date", "server", "transfer-encoding", "connection"}
"""Headers that are HTTP's own, and not the API's."""
FIELDS = {"type", "title", "status", "code", "detail", "request_id"}


@asynccontextmanager
async def watched(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app that refuses undocumented statuses and headers, problems without a code, and every 500."""
    described = _Described(app)
    async with client(app) as made:
        made.event_hooks["response"].append(described.check)
        yield made


class _Described:
    def __init__(self, app: FastAPI) -> None:
        self._document = app.openapi()
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
            promised = responses[str(response.status_code)]
            assert headers_amiss(self._document, promised, response.headers) == [], response.request.url
            # Of a path that only looks like one of a route's (with an escaped slash in it), this is said too.
            if response.status_code >= 400 and response.json()["code"] != "not_found":
                _as_shown(promised, response)

    def _responses(self, request: httpx.Request) -> dict[str, Any] | None:
        """Those of the route, or None where there is no such route."""
        path = request.url.raw_path.partition(b"?")[0].decode()
        for pattern, operations in self._paths.items():
            if pattern.fullmatch(path) and request.method.lower() in operations:
                found: dict[str, Any] = operations[request.method.lower()]["responses"]
                return found
        return None


def _as_shown(promised: Mapping[str, Any], response: httpx.Response) -> None:
    """A problem is one of those that its route shows, and carries no less and no more."""
    examples, body = promised["content"][PROBLEM_JSON]["examples"], response.json()
    assert body["code"] in examples, f"{response.request.url} {body['code']}"
    assert body.keys() - examples[body["code"]]["value"].keys() == set(), f"{response.request.url} {body}"


def headers_amiss(document: Mapping[str, Any], promised: Mapping[str, Any], sent: Iterable[str]) -> list[str]:
    """The headers of an answer that are sent and not described, or described as always sent and not there."""
    told = {name.lower(): document["components"]["headers"][name] for name in promised.get("headers", {})}
    names = {name.lower() for name in sent} - OF_HTTP
    due = {name for name, header in told.items() if header["required"]}
    return sorted((names - told.keys()) | (due - names))


def problem(response: httpx.Response) -> dict[str, Any]:
    """The problem details (RFC 9457) of an answer, which must be whole."""
    assert response.headers["content-type"] == PROBLEM_JSON, response.text
    body: dict[str, Any] = response.json()
    assert body.keys() >= FIELDS
    assert body["status"] == response.status_code
    assert body["request_id"] == response.headers["x-request-id"]
    assert re.fullmatch(r"[a-z_]+", body["code"])
    assert body["type"] == f"urn:shopstream:problem:{body['code']}"
    if response.status_code == 401:
        assert response.headers["www-authenticate"] == "Bearer"
    if response.status_code == 503:
        assert response.headers["retry-after"]
    return body


def refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Assert this refusal; return its problem details."""
    body = problem(response)
    assert (response.status_code, body["code"]) == (status, code), response.text
    return body


def malformed_at(response: httpx.Response) -> set[str]:
    """The places that a refusal of a malformed request names."""
    return {error["where"] for error in refused(response, 422, "malformed_request")["errors"]}


async def survivors(
    api: httpx.AsyncClient,
    path: str,
    bodies: Iterable[tuple[str, bytes]],
    headers: Mapping[str, str],
    method: str = "POST",
) -> list[str]:
    """Send bodies that must all be refused as malformed; return what was not, as ``name: status``."""
    found = []
    for name, body in bodies:
        answer = await api.request(
            method, path, content=body, headers={"Content-Type": "application/json", **headers}
        )
        if (answer.status_code, answer.json().get("code")) != (422, "malformed_request"):
            found.append(f"{name}: {answer.status_code}")
    return found


async def believed(
    api: httpx.AsyncClient, method: str, path: str, tokens: Mapping[str, str], body: Any = None
) -> list[str]:
    """Send tokens that must not be believed; return the names of those that were not answered 401."""
    found = []
    for name, token in tokens.items():
        answer = await api.request(method, path, json=body, headers={"Authorization": f"Bearer {token}"})
        if (answer.status_code, answer.json().get("code")) != (401, "unauthenticated"):
            found.append(f"{name}: {answer.status_code}")
    return found


async def undescribed(api: httpx.AsyncClient, method: str, path: str, values: Iterable[str]) -> list[str]:
    """Put values for ``{}`` in a path or query that must be malformed (or lead nowhere); return the others."""
    found = []
    for value in values:
        answer = await api.request(method, path.replace("{}", value))
        if answer.status_code not in (404, 422):
            found.append(f"{value[:30]}: {answer.status_code}")
    return found
