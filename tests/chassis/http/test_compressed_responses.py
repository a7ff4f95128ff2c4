"""Long responses to GET are compressed for those who accept it, and no others."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Response
from fastapi.sse import EventSourceResponse
from starlette.types import Message

from chassis.http.compressed_responses import SHORTEST, CompressedResponses
from chassis.http.streaming import StreamingBody

LONG = "long " * SHORTEST


def new_app() -> FastAPI:
    app = FastAPI()
    app.add_middleware(CompressedResponses)

    @app.get("/text")
    @app.post("/text")
    async def text(length: int = len(LONG)) -> Response:
        return Response(LONG[:length], media_type="text/plain")

    @app.get("/zip")
    async def file() -> Response:
        return Response(LONG, media_type="application/zip")

    @app.get("/encoded")
    async def encoded() -> Response:
        return Response(gzip.compress(LONG.encode()), headers={"Content-Encoding": "gzip"})

    @app.get("/events", response_class=EventSourceResponse)
    async def events() -> AsyncIterable[str]:
        yield LONG

    @app.get("/lines")
    async def lines() -> Response:
        async def chunks() -> Any:
            yield b""
            yield b"first\n"
            yield b"second\n"

        return await StreamingBody.starting(chunks(), "application/x-ndjson")

    return app


@pytest.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(new_app()), base_url="http://test") as client:
        client.headers["Accept-Encoding"] = "br, gzip"
        yield client


async def test_a_long_response_is_compressed_and_says_so(api: httpx.AsyncClient) -> None:
    response = await api.get("/text")
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["vary"] == "Accept-Encoding"
    assert int(response.headers["content-length"]) < len(LONG) / 10
    assert response.text == LONG


async def test_a_short_one_is_not(api: httpx.AsyncClient) -> None:
    response = await api.get(f"/text?length={SHORTEST - 1}")
    assert not {"content-encoding", "vary"} & response.headers.keys()


@pytest.mark.parametrize(
    "accepted", ["", "br", "gzip;q=0", "gzip;q=0.0, br", "identity", "identity, gzip;q=0.5", "gzipped", "*"]
)
async def test_who_does_not_prefer_it_gets_it_as_it_is_and_caches_learn_that(
    api: httpx.AsyncClient, accepted: str
) -> None:
    response = await api.get("/text", headers={"Accept-Encoding": accepted})
    assert "content-encoding" not in response.headers
    assert (response.headers["vary"], response.text) == ("Accept-Encoding", LONG)


@pytest.mark.parametrize("accepted", ["gzip", "GZIP", "gzip;q=0.5", "deflate, gzip;q=1.0, *;q=0.5"])
async def test_who_prefers_it_gets_it(api: httpx.AsyncClient, accepted: str) -> None:
    assert (await api.get("/text", headers={"Accept-Encoding": accepted})).headers["content-encoding"] == "gzip"


async def test_responses_to_post_which_may_have_tokens_are_not(api: httpx.AsyncClient) -> None:
    assert not {"content-encoding", "vary"} & (await api.post("/text")).headers.keys()


async def test_what_is_compressed_already_or_a_stream_of_events_stays_as_it_is(api: httpx.AsyncClient) -> None:
    assert "content-encoding" not in (await api.get("/zip")).headers
    assert (await api.get("/encoded")).text == LONG
    events = await api.get("/events")
    assert "content-encoding" not in events.headers
    assert LONG in events.text


async def test_a_stream_is_compressed_chunk_by_chunk() -> None:
    """Each can be read when it arrives."""
    scope: dict[str, Any] = {
        **{"type": "http", "method": "GET", "path": "/lines", "raw_path": b"/lines", "query_string": b""},
        **{"headers": [(b"accept-encoding", b"gzip")], "http_version": "1.1", "root_path": "", "scheme": "http"},
        **{"server": ("test", 80), "client": ("test", 1), "asgi": {"version": "3.0"}, "state": {}},
    }
    reader, read = zlib.decompressobj(16 + zlib.MAX_WBITS), []

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            read.append(reader.decompress(message["body"]))

    await new_app()(scope, receive, send)
    assert [chunk for chunk in read if chunk] == [b"first\n", b"second\n"]
    assert reader.eof
