"""product_svc behind a connection that a test disturbs, and a login whose tokens end when a test says so."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from chassis.testing import bearer
from tests.ops.cli.stub import LOGIN, Stub

Disturb = Callable[[Request, Response], Response]


class Front(Stub):
    """Forwards requests with a token that is good, after the log-in of the test."""

    def __init__(self, product_url: str) -> None:
        super().__init__()
        self._product = product_url
        self.ended_tokens = 0
        """So many of the first tokens are refused."""
        self.requests: list[str] = []
        self.env: dict[str, str] = {}
        """That of the program."""
        self.disturb: Disturb = lambda _request, response: response
        self.app.api_route("/v1/{path:path}", methods=["GET", "POST"])(self.forward)

    async def forward(self, request: Request) -> Response:
        """Pass a request on, and perhaps not its response."""
        self.requests.append(f"{request.method} {request.url.path}?{request.url.query}")
        good = {f"Bearer token {number}" for number in range(self.ended_tokens + 1, self.logins + 1)}
        token = bearer(role="staff") if request.headers.get("authorization") in good else {}
        kept = {name: value for name, value in request.headers.items() if name == "content-type"}
        async with httpx.AsyncClient(base_url=self._product, timeout=60) as client:
            response = await client.request(
                *(request.method, f"{request.url.path}?{request.url.query}"),
                content=await request.body(),
                headers={**kept, **token, "Accept-Encoding": "identity"},
            )
        names = ("content-type", "product-count")
        headers = {name: response.headers[name] for name in names if name in response.headers}
        return self.disturb(request, Response(response.content, response.status_code, headers))


def cut_off(response: Response, size: int) -> Response:
    """A response whose connection breaks after so many bytes."""

    async def chunks() -> AsyncIterator[bytes]:
        yield bytes(response.body)[:size]

    headers: dict[str, Any] = {name: response.headers[name] for name in response.headers if name != "content-length"}
    return StreamingResponse(chunks(), response.status_code, {**headers, "content-length": str(len(response.body))})


def staff_at(url: str, state: str) -> dict[str, str]:
    """The environment of the program."""
    account = {"STAFF_EMAIL": LOGIN["OPS_EMAIL"], "STAFF_PASSWORD": LOGIN["OPS_PASSWORD"]}
    return {"CUSTOMER_URL": url, "PRODUCT_URL": url, "XDG_STATE_HOME": state, **account}
