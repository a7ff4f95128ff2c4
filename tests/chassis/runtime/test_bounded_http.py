"""What clients can make a server hold: headers, requests that do not arrive, connections.

Run against uvicorn itself, so that a version in which ``bounded_http`` does not work is noticed.
"""

import asyncio
import resource
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from chassis.runtime import bounded_http
from chassis.runtime.bounded_http import MAX_HEADER_BYTES, MAX_PIPELINED, HttpLimits
from chassis.runtime.server import BoundedServer
from deploy.local.ports import free_port
from tests.stack import eventually

ROOT = Path(__file__).parents[3]
GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
SOON, LATER = 0.2, 30.0


@dataclass
class Peer:
    """A connection that sends bytes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def status(self) -> int:
        """The status of the next response."""
        async with asyncio.timeout(10):
            line = await self.reader.readuntil(b"\r\n")
        return int(line.split()[1])

    async def rest(self) -> bytes:
        """Everything until the server closes the connection."""
        async with asyncio.timeout(10):
            with suppress(ConnectionError):
                return await self.reader.read()
        return b""


@dataclass
class Served:
    """A server whose route answers when it has read the body and ``answer`` is set."""

    port: int
    answer: asyncio.Event = field(default_factory=asyncio.Event)
    requests: int = 0

    async def route(self, request: Request) -> Response:
        if request.headers.get("authorization") == "wrong":
            return PlainTextResponse("before the body", 401)
        await request.body()
        self.requests += 1
        await self.answer.wait()
        return PlainTextResponse("ok")


@asynccontextmanager
async def serving(connections: int = 100, header: float = LATER, body: float = LATER) -> AsyncIterator[Served]:
    served = Served(free_port())
    served.answer.set()
    app = Starlette(routes=[Route("/", served.route, methods=["GET", "POST"])])
    limits = HttpLimits(connections, header, body)
    server = BoundedServer(app, limits, host="127.0.0.1", port=served.port, lifespan="off")
    done = asyncio.create_task(server.serve())
    await eventually(lambda: started(server), 20, "the server to start", pause=0.01)
    try:
        yield served
    finally:
        served.answer.set()
        server.should_exit = server.force_exit = True
        await done


async def started(server: BoundedServer) -> bool:
    return server.started


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Peer]:
    peer = Peer(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield peer
    finally:
        peer.writer.close()
        with suppress(ConnectionError):
            await peer.writer.wait_closed()


def header(size: int) -> bytes:
    """A header line of about so many bytes."""
    return b"X-Padding: " + b"a" * (size - 13) + b"\r\n"


def problem_of(response: bytes) -> dict[str, object]:
    head, _, body = response.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    found: dict[str, object] = orjson.loads(body)
    assert f"x-request-id: {found['request_id']}".encode() in head
    return found


async def test_headers_below_the_limit_are_served() -> None:
    async with serving() as served, connected(served.port) as peer:
        await peer.send(GET + header(MAX_HEADER_BYTES - 200) + b"\r\n")
        assert await peer.status() == 200


@pytest.mark.parametrize(
    "headers", [[header(MAX_HEADER_BYTES + 100)], [header(1000)] * 40, [b"X-Short: a\r\n"] * 5000]
)
async def test_headers_above_the_limit_are_refused(headers: Iterable[bytes]) -> None:
    async with serving() as served, connected(served.port) as peer:
        await peer.send(GET + b"".join(headers) + b"\r\n")
        response = await peer.rest()
    assert response.startswith(b"HTTP/1.1 431 ")
    assert problem_of(response)["code"] == "headers_too_large"
    assert served.requests == 0


@pytest.mark.parametrize("part", [b"a" * 65_536, header(1000) * 64])
async def test_a_connection_that_sends_48_mib_of_headers_is_closed(part: bytes) -> None:
    async with serving() as served, connected(served.port) as peer:
        await peer.send(GET + b"X-Endless: ")
        sent = 0
        with suppress(ConnectionError):
            while sent < 48 * 1024 * 1024:
                await peer.send(part)
                sent += len(part)
    # The rest of it was in the buffers of the kernel.
    assert sent < 16 * 1024 * 1024


async def test_a_long_body_is_no_header() -> None:
    async with serving() as served, connected(served.port) as peer:
        request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + b"a" * 200_000
        await peer.send(request + GET + b"\r\n")
        assert await peer.status() == 200


async def test_headers_that_do_not_arrive_in_time_get_408() -> None:
    async with serving(header=SOON) as served, connected(served.port) as peer:
        await peer.send(GET + b"X-Slow: ")
        response = await peer.rest()
    assert response.startswith(b"HTTP/1.1 408 ")
    assert problem_of(response)["code"] == "request_timeout"


async def test_a_body_that_does_not_arrive_in_time_gets_408() -> None:
    async with serving(body=SOON) as served, connected(served.port) as peer:
        await peer.send(POST + b"half")
        response = await peer.rest()
    assert response.startswith(b"HTTP/1.1 408 ")
    assert response.count(b"HTTP/1.1") == 1
    assert served.requests == 0


async def test_a_connection_without_a_request_is_closed() -> None:
    async with serving(header=SOON) as served, connected(served.port) as peer:
        assert await peer.rest() == b""


async def test_empty_lines_between_requests_do_not_keep_a_connection_open() -> None:
    async with serving(header=SOON) as served, connected(served.port) as peer:
        await peer.send(GET + b"\r\n")
        assert await peer.status() == 200
        async with asyncio.timeout(10):
            with suppress(ConnectionError):
                while not peer.reader.at_eof():
                    await peer.send(b"\r\n")
                    with suppress(TimeoutError):
                        await asyncio.wait_for(peer.reader.read(1000), 0.05)


async def test_the_rest_of_a_body_that_was_not_read_does_not_keep_a_connection_open() -> None:
    async with serving(header=SOON) as served, connected(served.port) as peer:
        await peer.send(POST.replace(b"Host: x", b"Host: x\r\nAuthorization: wrong") + b"half")
        assert await peer.status() == 401
        await peer.send(b" and half")
        assert b"408" not in await peer.rest()


async def test_a_slow_response_is_no_slow_request() -> None:
    async with serving(header=SOON, body=SOON) as served, connected(served.port) as peer:
        served.answer.clear()
        await peer.send(POST + b"ten bytes.")
        await asyncio.sleep(4 * SOON)
        served.answer.set()
        assert await peer.status() == 200


async def test_a_client_that_does_not_take_its_response_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_http, "HELD_UP_SECONDS", SOON)
    content = PlainTextResponse("a" * 32_000_000)
    port = free_port()
    server = BoundedServer(content, HttpLimits(10, LATER, LATER), host="127.0.0.1", port=port, lifespan="off")
    done = asyncio.create_task(server.serve())
    await eventually(lambda: started(server), 20, "the server to start", pause=0.01)
    async with connected(port) as peer:
        await peer.send(GET + b"\r\n")

        async def forgotten() -> bool:
            return not server.server_state.connections

        await asyncio.sleep(0.05)
        assert not await forgotten()
        await eventually(forgotten, 10, "the server to disconnect it")
    server.should_exit = True
    await done


async def test_a_new_connection_takes_the_place_of_the_one_that_has_waited_longest() -> None:
    async with serving(connections=3) as served, AsyncExitStack() as stack:
        silent, half, body = [await stack.enter_async_context(connected(served.port)) for _ in range(3)]
        await half.send(GET)
        await body.send(POST + b"half")
        for oldest in (silent, half, body):
            new = await stack.enter_async_context(connected(served.port))
            await new.send(GET + b"\r\n")
            assert await new.status() == 200
            assert await oldest.rest() == b""


async def test_requests_in_progress_keep_their_connections() -> None:
    async with serving(connections=2) as served, AsyncExitStack() as stack:
        served.answer.clear()
        busy = [await stack.enter_async_context(connected(served.port)) for _ in range(2)]
        for peer in busy:
            await peer.send(GET + b"\r\n")

        async def both() -> bool:
            return served.requests == 2

        await eventually(both, 10, "both requests", pause=0.01)
        async with connected(served.port) as refused:
            response = await refused.rest()
        assert response.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nretry-after: 1\r\n" in response
        assert problem_of(response)["code"] == "overloaded"
        served.answer.set()
        assert [await peer.status() for peer in busy] == [200, 200]


async def test_a_flood_of_pipelined_requests_is_cut_off() -> None:
    async with serving() as served, connected(served.port) as peer:
        served.answer.clear()
        await peer.send((GET + b"\r\n") * 1000)
        assert b"200 OK" not in await peer.rest()
        served.answer.set()
        await asyncio.sleep(0.05)
        assert served.requests <= MAX_PIPELINED


async def test_a_few_pipelined_requests_are_answered_in_turn() -> None:
    async with serving() as served, connected(served.port) as peer:
        await peer.send((GET + b"\r\n") * 3 + GET + b"Connection: close\r\n\r\n")
        assert (await peer.rest()).count(b"HTTP/1.1 200 OK") == 4


REST = """
from chassis.runtime.server import Server, http_limits
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
async def live(request):
    return PlainTextResponse("ok")
app = Starlette(routes=[Route("/health/live", live)])
Server(app, lambda: None, http_limits(settings), host="127.0.0.1", port=settings.port).serve_until_signal()
"""
EVENT = """
import asyncio
from chassis.runtime import worker
from chassis.runtime.health import health_endpoints, operations_app
from chassis.runtime.server import http_limits, serving_operations
app = operations_app(health_endpoints("some_svc", {}))
async def main():
    async with serving_operations(app, http_limits(settings), "127.0.0.1", settings.port):
        await asyncio.sleep(3600)
worker.EventLoop().run_until_complete(main())
"""
SETTINGS = """
from chassis.runtime.settings import Settings
settings = Settings.model_validate({"kafka_bootstrap_servers": "kafka:9092", "port": PORT})
"""


def _few_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))


@pytest.mark.parametrize("code", [REST, EVENT], ids=["REST", "event"])
async def test_health_answers_beside_1000_half_open_requests_with_256_files(code: str) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SETTINGS.replace("PORT", str(port)) + code), cwd=ROOT, preexec_fn=_few_files
    )

    async def live() -> bool:
        with suppress(httpx.HTTPError):
            async with httpx.AsyncClient(timeout=2) as client:
                return (await client.get(f"http://127.0.0.1:{port}/health/live")).status_code == 200
        return False

    try:
        await eventually(live, 20, "the server to start", pause=0.05)
        async with AsyncExitStack() as stack:

            async def half_open() -> None:
                with suppress(ConnectionError):
                    peer = await stack.enter_async_context(connected(port))
                    await peer.send(GET + b"X-Slow: ")

            await asyncio.gather(*(half_open() for _ in range(1000)))
            assert await live()
            assert await live()
    finally:
        process.kill()
        await process.wait()
