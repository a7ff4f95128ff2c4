"""What happens around every request: its id, its trace, its metrics, and the limit of its body."""

import time
from collections.abc import Mapping, MutableMapping
from functools import cache
from typing import Any

import structlog
from fastapi import Request
from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

from chassis.http.errors import BodyTooLarge
from chassis.http.responses import error_response
from chassis.http.routing import MAX_BODY
from chassis.runtime.telemetry import HTTP_SECONDS, continued, trace

log = structlog.get_logger()


class RequestMiddleware:
    """Gives every request an id and a trace, returns the id, and counts and times the request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if 0 < len(given) <= 64 and given.isascii() and given.isprintable() else str(uuid7())
        scope.setdefault("state", {})["request_id"] = request_id
        trace.set(continued(headers.get(b"traceparent", b"").decode("latin-1")))
        structlog.contextvars.bind_contextvars(request_id=request_id)
        status, began = 500, time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            app = _too_large if _content_length(headers) > MAX_BODY else self._app
            await app(scope, receive, send_with_id)
        finally:
            _observe(scope, status, time.perf_counter() - began)
        return None


def _content_length(headers: Mapping[bytes, bytes]) -> int:
    given = headers.get(b"content-length", b"")
    return int(given[:19]) if given.isdigit() else 0


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    response = error_response(Request(scope), BodyTooLarge(limit=MAX_BODY))
    await response(scope, receive, send)


def _observe(scope: MutableMapping[str, Any], status: int, seconds: float) -> None:
    found = scope.get("route")
    route = getattr(found, "label", None) or getattr(found, "path", "unmatched")
    _seconds(scope["method"], route, status).observe(seconds)
    write = log.warning if status >= 500 else log.debug
    write("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))


@cache
def _seconds(method: str, route: str, status: int) -> Histogram:
    return HTTP_SECONDS.labels(method, route, status)
