"""The web server of a REST front."""

import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import uvicorn

STARTUP_FAILURE = 3
"""uvicorn's own exit code for an app that does not start."""


class Server(uvicorn.Server):
    """uvicorn, which on its end calls ``ending`` before it waits for the requests in flight.

    Some of those have no end of their own: whoever follows something has to be sent away.
    """

    def __init__(self, app: Any, ending: Sequence[Callable[[], object]], **options: Any) -> None:
        super().__init__(uvicorn.Config(app, log_config=None, access_log=False, server_header=False, **options))
        self._ending = ending

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, and wait for what is under way."""
        for end in self._ending:
            end()
        await super().shutdown(sockets)

    def run_until_told(self) -> None:
        """Serve until SIGTERM or SIGINT; exit with an error where the app does not start."""
        with suppress(KeyboardInterrupt):
            self.run()
        if not self.started:
            sys.exit(STARTUP_FAILURE)
