"""The web server of a REST process."""

import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import uvicorn

STARTUP_FAILURE = 3
"""uvicorn's own exit code for an app that does not start."""


class Server(uvicorn.Server):
    """uvicorn that calls ``on_shutdown`` before it waits for requests in flight: streams do not end by themselves.

    It believes ``X-Forwarded-For`` from ``proxies`` (addresses and networks, separated by commas) and nobody else;
    uvicorn would believe everybody on this machine.
    """

    def __init__(self, app: Any, on_shutdown: Callable[[], object], proxies: str = "", **options: Any) -> None:
        options |= {"proxy_headers": bool(proxies), "forwarded_allow_ips": proxies}
        super().__init__(uvicorn.Config(app, log_config=None, access_log=False, server_header=False, **options))
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
