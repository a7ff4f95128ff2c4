"""An app of this process on a real server, and its server-sent events as a browser reads them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from chassis.runtime.bounded_http import HttpLimits
from chassis.runtime.server import Server
from chassis.testing import accept_test_tokens
from deploy.local.ports import free_port
from tests.stack import eventually


@dataclass(frozen=True)
class Sent:
    """An event; ``kind`` is ``message`` unless the event names another."""

    kind: str
    id: str | None
    data: Any


@dataclass
class Serving:
    """A running server with a client; ``done`` is its task."""

    app: FastAPI
    server: Server
    client: httpx.AsyncClient
    done: asyncio.Task[None]

    async def stop(self) -> None:
        """Stop it, as SIGTERM does, and wait until it has stopped."""
        self.server.should_exit = True
        await asyncio.wait_for(asyncio.shield(self.done), 8)


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[Serving]:
    """Serve an app that accepts the tokens of this test run."""
    port = free_port()
    limits = HttpLimits(connections=2000, header_seconds=10, body_seconds=30)
    address: dict[str, Any] = {"host": "127.0.0.1", "port": port}
    server = Server(app, app.state.on_shutdown, limits, **address, timeout_graceful_shutdown=10)
    done = asyncio.create_task(server.serve())
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        made = Serving(app, server, client, done)

        async def started() -> bool:
            return server.started

        await eventually(started, 20, "the server to start", pause=0.01)
        accept_test_tokens(app)
        yield made
    await made.stop()


class Stream:
    """An open stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response, self._lines = response, response.aiter_lines()

    async def line(self) -> str | None:
        """The next line, None at the end."""
        return await asyncio.wait_for(anext(self._lines, None), 30)

    async def next(self) -> Sent | None:
        """The next event that has data, None at the end."""
        fields: dict[str, str] = {}
        while (line := await self.line()) is not None:
            if not line and "data" in fields:
                return Sent(fields.get("event", "message"), fields.get("id"), json.loads(fields["data"]))
            name, _, value = line.partition(": ")
            fields = {**fields, name: value} if line else {}
        return None

    async def types(self, number: int) -> list[str]:
        """The types of the next entries."""
        return [(await self.entry()).data["type"] for _ in range(number)]

    async def entry(self) -> Sent:
        """The next entry."""
        sent = await self.next()
        assert sent is not None
        assert sent.kind == "message", sent
        return sent

    async def rest(self) -> list[Sent]:
        """Everything until the end."""
        return [sent async for sent in self._events()]

    async def _events(self) -> AsyncIterator[Sent]:
        while sent := await self.next():
            yield sent


@asynccontextmanager
async def following(
    client: httpx.AsyncClient,
    order_id: object,
    headers: dict[str, str],
    last: str | None = None,
    base: str = "",
    at: str = "timeline/stream",
) -> AsyncIterator[Stream]:
    """Follow an order; ``last`` is the id of the last event that was read before."""
    sent = {**headers, **({"Last-Event-ID": last} if last else {})}
    async with client.stream("GET", f"{base}/v1/orders/{order_id}/{at}", headers=sent) as response:
        assert response.status_code == 200, await response.aread()
        yield Stream(response)
