"""How many requests a REST process works on at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from chassis.http.in_progress import InProgress
from chassis.http.middleware import RequestMiddleware
from tests.responses import assert_problem
from tests.stack import eventually


@dataclass
class App:
    """An app that works on one request at a time, whose requests wait for ``answer``."""

    client: httpx.AsyncClient
    in_progress: InProgress
    answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def working(self) -> None:
        """Wait until it works on a request."""

        async def full() -> bool:
            return self.in_progress.full

        await eventually(full, 10, "a request", pause=0.001)


@pytest.fixture
async def app() -> AsyncIterator[App]:
    fast, in_progress = FastAPI(), InProgress(limit=1)
    fast.add_middleware(RequestMiddleware, in_progress=in_progress)
    async with _client(fast) as client:
        made = App(client, in_progress)

        async def work(request: Request) -> Response:
            await request.body()
            await made.answer.wait()
            return Response("ok")

        async def fail() -> None:
            raise ZeroDivisionError

        async def stream() -> Response:
            async def parts() -> AsyncIterator[bytes]:
                yield b"begun"
                await made.answer.wait()

            return StreamingResponse(parts())

        fast.add_api_route("/work", work, methods=["GET", "POST"])
        fast.add_api_route("/stream", stream)
        fast.add_api_route("/fail", fail)
        fast.add_api_route("/health/live", lambda: "ok")
        yield made
        made.answer.set()


@asynccontextmanager
async def _client(fast: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(fast, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_one_request_too_many_is_refused_for_a_second(app: App) -> None:
    first = asyncio.create_task(app.client.get("/work"))
    await app.working()
    refused = await app.client.get("/work")
    assert_problem(refused, 503, "overloaded")
    assert refused.headers["retry-after"] == "1"
    app.answer.set()
    assert (await first).status_code == 200
    assert (await app.client.get("/work")).status_code == 200


async def test_health_answers_all_the_same(app: App) -> None:
    first = asyncio.create_task(app.client.get("/work"))
    await app.working()
    assert (await app.client.get("/health/live")).status_code == 200
    app.answer.set()
    await first


async def test_a_request_counts_from_the_end_of_its_body(app: App) -> None:
    more = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"a"
        await more.wait()
        yield b"b"

    slow = asyncio.create_task(app.client.post("/work", content=body()))
    await asyncio.sleep(0.01)
    assert app.in_progress.number == 0
    more.set()
    await app.working()
    app.answer.set()
    assert (await slow).status_code == 200
    assert app.in_progress.number == 0


async def test_a_stream_that_has_begun_does_not_count(app: App) -> None:
    stream = asyncio.create_task(app.client.get("/stream"))
    await asyncio.sleep(0.01)
    assert app.in_progress.number == 0
    app.answer.set()
    assert (await stream).text == "begun"


async def test_a_request_that_fails_counts_no_longer(app: App) -> None:
    assert (await app.client.get("/fail")).status_code == 500
    assert app.in_progress.number == 0
