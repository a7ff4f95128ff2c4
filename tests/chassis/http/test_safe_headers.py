"""The headers by which nobody keeps a response, or guesses its type."""

from collections.abc import AsyncIterable, AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Response
from fastapi.sse import EventSourceResponse

from chassis.http.errors import NotFound
from chassis.http.in_progress import InProgress
from chassis.http.middleware import RequestMiddleware
from chassis.http.responses import HANDLERS
from chassis.http.safe_headers import cacheable

TOKEN = {"Authorization": "Bearer anything"}


@pytest.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)
    app.add_middleware(RequestMiddleware, in_progress=InProgress())

    @app.get("/public")
    @cacheable(seconds=60)
    async def public(missing: bool = False) -> str:
        if missing:
            raise NotFound
        return "for everybody"

    @app.get("/personal")
    async def personal(response: Response) -> str:
        response.headers["Cache-Control"] = "public, max-age=9999"
        return "for one"

    @app.get("/stream", response_class=EventSourceResponse)
    async def stream() -> AsyncIterable[str]:
        yield "for one"

    @app.get("/bug")
    async def bug() -> str:
        raise RuntimeError("a bug")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_a_public_route_may_be_kept(api: httpx.AsyncClient) -> None:
    response = await api.get("/public")
    assert response.headers.get_list("cache-control") == ["public, max-age=60"]
    assert response.headers.get_list("x-content-type-options") == ["nosniff"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/public", TOKEN),
        ("/public?missing=true", {}),
        ("/public?missing=perhaps", {}),
        ("/personal", {}),
        ("/personal", TOKEN),
        ("/stream", TOKEN),
        ("/bug", {}),
        ("/nowhere", {}),
    ],
)
async def test_everything_else_is_kept_nowhere(api: httpx.AsyncClient, path: str, headers: dict[str, str]) -> None:
    response = await api.get(path, headers=headers)
    assert response.headers.get_list("cache-control") == ["no-store"]
    assert response.headers.get_list("x-content-type-options") == ["nosniff"]
    assert len(response.headers.get_list("x-request-id")) == 1


async def test_a_wrong_method_of_a_public_route_is_kept_nowhere(api: httpx.AsyncClient) -> None:
    response = await api.post("/public")
    assert (response.status_code, response.headers["cache-control"]) == (405, "no-store")
