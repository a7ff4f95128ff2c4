"""Scripts of origins that ``CORS_ORIGINS`` names call every service from a browser; those of others read nothing.

That no origin is allowed by default is tried in ``tests/security``.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest

from chassis.http.routing import MAX_BODY
from chassis.testing import bearer
from tests.contracts.apps import SERVICES, described, unstarted
from tests.responses import assert_problem

ORIGIN, SECOND = "https://shop.example", "http://localhost:3000"
ORIGINS = f"{ORIGIN},{SECOND}"
STRANGERS = (
    *("https://evil.example", "null", "http://shop.example", "https://shop.example:444", "https://a.shop.example"),
    *("https://shop.example.evil.example", "https://SHOP.example", ORIGINS, ""),
)
ALLOW = "access-control-allow-origin"


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def browser(service: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app that has not started: with a token, every request ends with a bug."""
    transport = httpx.ASGITransport(unstarted(ORIGINS)[service], raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers={"Origin": ORIGIN}) as client:
        yield client


def preflight(method: str, *headers: str) -> dict[str, str]:
    names = {"Access-Control-Request-Headers": ",".join(sorted(name.lower() for name in headers))}
    return {"Access-Control-Request-Method": method, **(names if headers else {})}


def listed(response: httpx.Response, name: str) -> set[str]:
    return {one.strip().lower() for one in response.headers.get(name, "").split(",")}


def operations(service: str) -> list[tuple[str, str, Mapping[str, Any]]]:
    paths = described()[service]["paths"]
    return [(method.upper(), path, each) for path, methods in paths.items() for method, each in methods.items()]


async def test_a_preflight_allows_what_each_route_takes(browser: httpx.AsyncClient, service: str) -> None:
    for method, path, operation in operations(service):
        taken = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "header"]
        asked = preflight(method, "Authorization", "Content-Type", "Content-Encoding", *taken)
        response = await browser.options(path, headers=asked)
        assert response.status_code == 200, f"{method} {path}: {response.text}"
        assert response.headers[ALLOW] == ORIGIN
        assert method.lower() in listed(response, "access-control-allow-methods")
        assert "access-control-allow-credentials" not in response.headers
        assert "origin" in listed(response, "vary")
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"


async def test_a_script_reads_every_documented_header(browser: httpx.AsyncClient, service: str) -> None:
    exposed = listed(await browser.get("/health/live"), "access-control-expose-headers")
    assert {"etag", "location", "retry-after", "x-request-id"} <= exposed
    for method, path, operation in operations(service):
        for status, response in operation["responses"].items():
            unread = {name.lower() for name in response.get("headers", ())} - exposed
            assert not unread, f"{method} {path} {status}"


async def test_a_script_reads_responses_of_every_kind(
    browser: httpx.AsyncClient, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    responses = [
        await browser.get("/health/live"),
        await browser.head("/health/live"),
        await browser.get("/v1/nothing"),
        await browser.delete("/health/live"),
        await browser.get("/v1/ops/summary"),
        await browser.post("/v1/nothing", content=b"x" * (MAX_BODY + 1)),
        await browser.get("/v1/ops/summary", headers=bearer(role="ops")),
    ]
    monkeypatch.setattr(unstarted(ORIGINS)[service].state.in_progress, "limit", 0)
    responses.append(await browser.get("/v1/ops/summary"))
    assert [response.status_code for response in responses] == [200, 200, 404, 405, 401, 413, 500, 503]
    assert_problem(responses[-1], 503, "overloaded")
    for response in responses:
        assert response.headers.get_list(ALLOW) == [ORIGIN], response.status_code
        assert "retry-after" in listed(response, "access-control-expose-headers")
        assert "access-control-allow-credentials" not in response.headers
        assert "origin" in listed(response, "vary")
        assert len(response.headers.get_list("x-request-id")) == 1


async def test_each_of_several_origins_gets_its_own_name(browser: httpx.AsyncClient) -> None:
    headers = {"Origin": SECOND}
    assert (await browser.get("/health/live", headers=headers)).headers[ALLOW] == SECOND
    assert (await browser.options("/v1/orders", headers=headers | preflight("POST"))).headers[ALLOW] == SECOND


async def test_a_stranger_reads_nothing_and_caches_keep_its_responses_apart(browser: httpx.AsyncClient) -> None:
    for origin in STRANGERS:
        headers = {"Origin": origin}
        for path in ("/health/live", "/v1/nothing"):
            response = await browser.get(path, headers=headers)
            assert ALLOW not in response.headers, origin
            assert "origin" in listed(response, "vary")
        refused = await browser.options("/v1/ops/summary", headers=headers | preflight("GET"))
        assert (refused.status_code, ALLOW in refused.headers) == (400, False), origin


async def test_unknown_methods_and_headers_are_refused(browser: httpx.AsyncClient) -> None:
    for asked in (preflight("TRACE"), preflight("GET", "X-Admin"), preflight("POST", "Cookie")):
        assert (await browser.options("/v1/ops/summary", headers=asked)).status_code == 400


async def test_clients_that_are_no_browsers_notice_nothing(service: str) -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(unstarted(ORIGINS)[service]), base_url="http://test"
    ) as client:
        response = await client.get("/health/live")
        assert [name for name in response.headers if name.startswith("access-control")] == []
        # A cache must not give this response to a browser.
        assert "origin" in listed(response, "vary")
        assert (await client.options("/health/live")).status_code == 405
