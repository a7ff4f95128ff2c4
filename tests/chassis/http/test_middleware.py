"""What the middleware around every request writes to the access log."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Response
from structlog.testing import capture_logs

from chassis.http.in_progress import InProgress
from chassis.http.middleware import RequestMiddleware


@pytest.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.add_middleware(RequestMiddleware, in_progress=InProgress())

    def answer(status: int = 200) -> Response:
        return Response("", status)

    for path in ("/v1/orders/{order_id}", "/health/ready", "/.well-known/jwks.json"):
        app.add_api_route(path, answer)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def logged(api: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    with capture_logs() as logs:
        await api.get(path)
    return [dict(line) for line in logs]


async def test_a_request_is_one_line_with_its_route_and_without_ids(api: httpx.AsyncClient) -> None:
    [line] = await logged(api, "/v1/orders/7?status=202")
    assert line.pop("ms") >= 0
    assert line == {
        **{"event": "request", "log_level": "info"},
        **{"method": "GET", "route": "/v1/orders/{order_id}", "status": 202},
    }


async def test_a_path_that_does_not_exist_is_not_repeated(api: httpx.AsyncClient) -> None:
    [line] = await logged(api, "/ada@example.com")
    assert (line["route"], line["status"]) == ("unmatched", 404)


async def test_what_failed_is_a_warning(api: httpx.AsyncClient) -> None:
    [line] = await logged(api, "/v1/orders/7?status=503")
    assert (line["status"], line["log_level"]) == (503, "warning")


@pytest.mark.parametrize("path", ["/health/ready", "/.well-known/jwks.json"])
async def test_what_is_requested_every_few_seconds_is_left_out_unless_it_fails(
    api: httpx.AsyncClient, path: str
) -> None:
    assert await logged(api, path) == []
    [line] = await logged(api, f"{path}?status=503")
    assert (line["route"], line["status"]) == (path, 503)
