"""Services that are not there yet, or that misbehave: real HTTP, with a login and answers as a test needs them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI

LOGIN = {"OPS_EMAIL": "ops@example.com", "OPS_PASSWORD": "the password of ops"}


class Stub:
    """A service; ``app`` gets the routes of a test."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.logins = 0
        self.expires_in = 900
        self.code: str | None = None
        """The one-time code that a login needs."""
        self.app.post("/v1/sessions", status_code=201)(self.log_in)
        self.app.post("/v1/sessions/refresh")(self.refresh)

    async def log_in(self, body: dict[str, str]) -> dict[str, Any]:
        code = {"code": self.code} if self.code else {}
        assert body == {"email": LOGIN["OPS_EMAIL"], "password": LOGIN["OPS_PASSWORD"], **code}
        return self._session()

    async def refresh(self, body: dict[str, str]) -> dict[str, Any]:
        assert body == {"refresh_token": f"refresh {self.logins}"}
        self.code = None
        return self._session()

    def _session(self) -> dict[str, Any]:
        self.logins += 1
        tokens = {"access_token": f"token {self.logins}", "refresh_token": f"refresh {self.logins}"}
        return tokens | {"expires_in": self.expires_in}


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[str]:
    """Serve an application; yields its URL."""
    server = _Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        assert not running.done(), "the server did not start"
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running
