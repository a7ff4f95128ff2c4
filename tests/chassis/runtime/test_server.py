"""Which addresses clients are believed to have, and what a process serves beside its API."""

import asyncio
import signal
import socket
import sys
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from chassis.persistence.errors import DatabaseUnavailable
from chassis.runtime.bounded_http import HttpLimits
from chassis.runtime.exposition import VERSION
from chassis.runtime.health import health_endpoints, operations_app
from chassis.runtime.server import STARTUP_FAILURE, Server, serving_operations
from deploy.local.ports import free_port, release

ROOT = Path(__file__).parents[3]


async def client_seen(proxies: str, connected_from: str, forwarded_for: str) -> str:
    """The address of a client as an app behind the server sees it."""
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["client"][0])

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(_message: Message) -> None:
        return None

    config = Server(app, lambda: None, HttpLimits(10, 10, 10), proxies).config
    config.load()
    headers = [(b"x-forwarded-for", forwarded_for.encode())]
    scope = {"type": "http", "client": (connected_from, 1), "headers": headers, "scheme": "http"}
    await config.loaded_app(scope, receive, send)
    return seen[0]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.1"])
async def test_a_client_has_the_address_that_it_connects_from_whatever_it_says(address: str) -> None:
    assert await client_seen("", address, "203.0.113.7") == address


async def test_only_a_configured_proxy_is_believed() -> None:
    proxies = "10.0.0.1,10.1.0.0/16"
    assert await client_seen(proxies, "10.0.0.1", "203.0.113.7") == "203.0.113.7"
    assert await client_seen(proxies, "10.1.2.3", "203.0.113.7") == "203.0.113.7"
    assert await client_seen(proxies, "127.0.0.1", "203.0.113.7") == "127.0.0.1"


async def test_of_several_addresses_the_one_that_the_proxy_saw_counts() -> None:
    assert await client_seen("10.0.0.1", "10.0.0.1", "198.51.100.1, 203.0.113.7") == "203.0.113.7"


async def test_what_runs_beside_a_server_starts_after_its_app_and_ends_after_the_last_request() -> None:
    happened: list[str] = []

    @asynccontextmanager
    async def beside() -> AsyncIterator[None]:
        happened.append("beside starts")
        yield
        happened.append("beside ends")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "lifespan"
        for kind in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{kind}"
            happened.append(kind)
            await send({"type": f"lifespan.{kind}.complete"})

    server = Server(app, lambda: happened.append("stopping"), HttpLimits(10, 10, 10), "", beside, port=0)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    server.should_exit = True
    await serving
    assert happened == ["startup", "beside starts", "stopping", "shutdown", "beside ends"]


async def test_health_and_metrics_are_served_beside_an_api() -> None:
    port = free_port()
    app = operations_app(health_endpoints("some_svc", {}))
    async with serving_operations(app, HttpLimits(10, 10, 10), "127.0.0.1", port), httpx.AsyncClient() as client:
        for path in ("/health/live", "/health/ready", "/metrics"):
            response = await get_soon(client, f"http://127.0.0.1:{port}{path}")
            assert (response.status_code, response.headers["cache-control"]) == (200, "no-store"), path
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/health/live")


async def get_soon(client: httpx.AsyncClient, url: str) -> httpx.Response:
    """The response, once the server listens."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await client.get(url)
            except httpx.ConnectError:
                await asyncio.sleep(0.01)


async def test_metrics_name_the_service_and_say_whether_the_process_is_ready() -> None:
    usable = True

    async def check() -> None:
        if not usable:
            raise DatabaseUnavailable("gone")

    endpoints = health_endpoints("some_svc", {"database": check})
    transport = httpx.ASGITransport(operations_app(endpoints))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        for usable, status in ((True, 200), (False, 503), (True, 200)):
            metrics = (await client.get("/metrics")).text.splitlines()
            assert f'shop_dependency_up{{dependency="database",service="some_svc"}} {float(usable)}' in metrics
            assert (await client.get("/health/ready")).status_code == status
            assert (await client.get("/health/live")).status_code == 200
    samples = [line for line in metrics if not line.startswith("#")]
    assert [line for line in samples if 'service="some_svc"' not in line] == []


def test_the_version_is_that_of_the_project() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


SERVES = """
from chassis.runtime.bounded_http import HttpLimits
from chassis.runtime.health import health_endpoints, operations_app
from chassis.runtime.server import Server
app, limits = operations_app(health_endpoints("some_svc", {})), HttpLimits(10, 10, 10)
server = Server(app, lambda: print("stopping", flush=True), limits, "", port=0, lifespan="off")
startup = server.startup
async def say_so(sockets=None):
    await startup(sockets)
    print("ready", flush=True)
server.startup = say_so
server.serve_until_signal()
"""


async def test_a_rest_process_that_is_to_end_ends_with_success() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVES), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        assert process.stdout
        assert await process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        assert await process.stdout.read() == b"stopping\n"
        assert await process.wait() == 0


TAKEN = """
from functools import partial
from chassis.runtime.bounded_http import HttpLimits
from chassis.runtime.health import health_endpoints, operations_app
from chassis.runtime.server import Server, serving_operations
app, limits = operations_app(health_endpoints("some_svc", {})), HttpLimits(10, 10, 10)
beside = partial(serving_operations, app, limits, "127.0.0.1", PORT)
Server(app, lambda: None, limits, "", beside, port=0, lifespan="off").serve_until_signal()
"""


async def test_a_process_whose_port_for_metrics_is_taken_ends_and_says_so() -> None:
    port = free_port()
    release(port)
    with socket.create_server(("127.0.0.1", port)):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", TAKEN.replace("PORT", str(port))), cwd=ROOT, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(60):
            _, errors = await process.communicate()
    assert process.returncode == STARTUP_FAILURE
    assert b"address already in use" in errors
    assert b"Traceback" not in errors
