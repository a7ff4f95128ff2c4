"""What happens around every request: its id, its trace, its metrics, the limits of its body and of their number."""

import time
from collections.abc import Mapping, MutableMapping
from functools import cache
from typing import Any

import structlog
from fastapi import Request
from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

from chassis.http.errors import BodyTooLarge, Overloaded, ShopError
from chassis.http.in_progress import InProgress, Turn
from chassis.http.request_spans import begin_request, end_request
from chassis.http.responses import error_response
from chassis.http.routing import MAX_BODY
from chassis.http.safe_headers import with_safe_headers
from chassis.runtime import tracing
from chassis.runtime.telemetry import ACCESS_LOGGER, HTTP_SECONDS, REQUEST, trace

access_log = structlog.get_logger(ACCESS_LOGGER)

UNLIMITED = "/health/"
"""Paths below it also answer while a process works on as many requests as it may."""
POLLED = (UNLIMITED, "/.well-known/")
"""What processes request every few seconds: in the access log only if it failed, and never in a span."""


class RequestMiddleware:
    """Gives every request an id and a trace, and every response its headers; counts and times the request."""

    def __init__(self, app: ASGIApp, in_progress: InProgress) -> None:
        self._app, self._in_progress = app, in_progress

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if 0 < len(given) <= 64 and given.isascii() and given.isprintable() else str(uuid7())
        scope.setdefault("state", {})["request_id"] = request_id
        parent = headers.get(b"traceparent", b"").decode("latin-1")
        span = None if scope["path"].startswith(POLLED) else begin_request(scope["method"], parent, request_id)
        trace.set(tracing.traceparent_of(span) if span else tracing.passed_on(parent))
        structlog.contextvars.bind_contextvars(request_id=request_id)
        status, began, turn = 500, time.perf_counter(), Turn(self._in_progress)

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                turn.end()
                safe = with_safe_headers(scope, message, has_token=b"authorization" in headers)
                message["headers"] = [*safe, (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            app = self._refusal(scope["path"], headers) or self._app
            if _has_body(headers):
                receive = turn.after_body(receive)
            else:
                turn.begin()
            await app(scope, receive, send_with_id)
        finally:
            turn.end()
            route = _observe(scope, status, time.perf_counter() - began)
            if span:
                end_request(span, scope["method"], route, status)
        return None

    def _refusal(self, path: str, headers: Mapping[bytes, bytes]) -> ASGIApp | None:
        """What answers instead of a route, where a limit is exceeded."""
        if _content_length(headers) > MAX_BODY:
            return _refuse(BodyTooLarge(limit=MAX_BODY))
        if self._in_progress.full and not path.startswith(UNLIMITED):
            return _refuse(Overloaded())
        return None


def _has_body(headers: Mapping[bytes, bytes]) -> bool:
    return headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers


def _content_length(headers: Mapping[bytes, bytes]) -> int:
    given = headers.get(b"content-length", b"")
    return int(given[:19]) if given.isdigit() else 0


def _refuse(error: ShopError) -> ASGIApp:
    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        await error_response(Request(scope), error)(scope, receive, send)

    return respond


def _observe(scope: MutableMapping[str, Any], status: int, seconds: float) -> str:
    """Count and log a request; return its route, which has no ids in it."""
    found = scope.get("route")
    route = getattr(found, "label", None) or getattr(found, "path", "unmatched")
    _seconds(scope["method"], route, status).observe(seconds)
    if status >= 500 or not scope["path"].startswith(POLLED):
        write = access_log.warning if status >= 500 else access_log.info
        write(REQUEST, method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))
    return str(route)


@cache
def _seconds(method: str, route: str, status: int) -> Histogram:
    return HTTP_SECONDS.labels(method, route, status)
