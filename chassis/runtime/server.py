"""The web servers of REST and event processes, with bounds on what clients can make them hold (``bounded_http``)."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from dataclasses import replace
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from chassis.runtime.bounded_http import BoundedProtocol, BoundedState, HttpLimits
from chassis.runtime.settings import Settings

STARTUP_FAILURE = 3
"""uvicorn's own exit code for an app that does not start."""
TICKS_BETWEEN_LOOKS = 5
"""uvicorn ticks ten times a second; so often, connections whose time is up are looked for."""
OPERATIONS_CONNECTIONS = 64
"""Most clients of health and metrics at once, and most that wait to be accepted."""


def http_limits(settings: Settings) -> HttpLimits:
    """The limits of a process."""
    return HttpLimits(settings.http_connections, settings.http_header_seconds, settings.http_body_seconds)


class BoundedServer(uvicorn.Server):
    """uvicorn with limits; ``options`` are those of its ``Config``.

    It believes ``X-Forwarded-For`` from ``proxies`` (addresses and networks, separated by commas) and nobody else;
    uvicorn would believe everybody on this machine.
    """

    def __init__(self, app: Any, limits: HttpLimits, proxies: str = "", **options: Any) -> None:
        # No service has a WebSocket: a request for one is answered as any other.
        fixed: dict[str, Any] = {"http": BoundedProtocol, "ws": "none", "log_config": None, "access_log": False}
        fixed |= {"proxy_headers": bool(proxies), "forwarded_allow_ips": proxies}
        super().__init__(uvicorn.Config(app, server_header=False, **fixed, **options))
        self._bounded = self.server_state = BoundedState(limits)

    async def on_tick(self, counter: int) -> bool:
        """Disconnect clients whose time is up."""
        if counter % TICKS_BETWEEN_LOOKS == 0:
            self._bounded.expire(asyncio.get_running_loop().time())
        return await super().on_tick(counter)


class Server(BoundedServer):
    """Calls ``on_shutdown`` before it waits for requests in flight: streams do not end by themselves.

    ``beside`` is what runs as long as this server, from the moment when its app has started.
    """

    def __init__(
        self,
        app: Any,
        on_shutdown: Callable[[], object],
        limits: HttpLimits,
        proxies: str = "",
        beside: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
        **options: Any,
    ) -> None:
        super().__init__(app, limits, proxies, **options)
        self._on_shutdown, self._beside, self._running = on_shutdown, beside, AsyncExitStack()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """End in order; uvicorn would then send the signal once more, so that the exit status says it was killed."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the app, and listen."""
        await super().startup(sockets)
        await self._running.enter_async_context(self._beside())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, and wait for the requests in flight."""
        self._on_shutdown()
        await super().shutdown(sockets)
        await self._running.aclose()

    def serve_until_signal(self) -> None:
        """Serve until SIGTERM or SIGINT; exit with an error where the app does not start."""
        with suppress(KeyboardInterrupt):
            self.run()
        if not self.started:
            sys.exit(STARTUP_FAILURE)


class _ServerWithoutSignals(BoundedServer):
    """uvicorn without its signal handlers: the process has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving_operations(app: ASGIApp, limits: HttpLimits, host: str, port: int) -> AsyncIterator[None]:
    """Serve health and metrics beside what the process does. If the port is taken, the process ends."""
    limits = replace(limits, connections=min(limits.connections, OPERATIONS_CONNECTIONS))
    address: dict[str, Any] = {"host": host, "port": port}
    # asyncio accepts as many connections at once as may wait.
    server = _ServerWithoutSignals(app, limits, **address, lifespan="off", backlog=OPERATIONS_CONNECTIONS)
    serving = asyncio.create_task(server.serve(), name="health and metrics")
    try:
        yield
    finally:
        server.should_exit = True
        await serving
