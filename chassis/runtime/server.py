"""The web servers of REST and event processes, with bounds on what clients can make them hold (``bounded_http``)."""

import asyncio
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import uvicorn

from chassis.runtime.bounded_http import BoundedProtocol, BoundedState, HttpLimits
from chassis.runtime.settings import Settings

STARTUP_FAILURE = 3
"""uvicorn's own exit code for an app that does not start."""
TICKS_BETWEEN_LOOKS = 5
"""uvicorn ticks ten times a second; so often, connections whose time is up are looked for."""


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
    """Calls ``on_shutdown`` before it waits for requests in flight: streams do not end by themselves."""

    def __init__(
        self, app: Any, on_shutdown: Callable[[], object], limits: HttpLimits, proxies: str = "", **options: Any
    ) -> None:
        super().__init__(app, limits, proxies, **options)
        self._on_shutdown = on_shutdown

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, and wait for the requests in flight."""
        self._on_shutdown()
        await super().shutdown(sockets)

    def serve_until_signal(self) -> None:
        """Serve until SIGTERM or SIGINT; exit with an error where the app does not start."""
        with suppress(KeyboardInterrupt):
            self.run()
        if not self.started:
            sys.exit(STARTUP_FAILURE)
