"""Lets scripts of web pages elsewhere call a REST API from a browser (CORS, Fetch Standard §3.3).

Tokens are in a header that scripts set themselves. So browsers are not asked to send cookies, and a page that is not
allowed gains nothing from a customer who is logged in elsewhere.
"""

from collections.abc import Collection

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from chassis.http.headers import HEADERS
from chassis.http.safe_headers import SAFE_HEADERS

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
REQUEST_HEADERS = (
    "Authorization",
    "Content-Encoding",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Prefer",
    "traceparent",
    "X-Request-Id",
)
"""What a script may send beside what it may always send, such as ``Accept`` and ``Content-Type``."""


class CrossOrigin(CORSMiddleware):
    """Starlette's, whose responses to preflights have the headers that all responses have."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """The response to a browser that asks whether a script may send a request."""
        response = super().preflight_response(request_headers)
        response.headers.update(SAFE_HEADERS)
        return response


def allow_origins(app: FastAPI, origins: Collection[str]) -> None:
    """Let scripts of these origins send every request and read every response; without any, change nothing."""
    if not origins:
        return
    build = app.build_middleware_stack

    def build_inside() -> ASGIApp:
        # Around everything: a middleware would not see the response to a bug, which Starlette makes outside of all.
        return CrossOrigin(
            build(),
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=REQUEST_HEADERS,
            expose_headers=tuple(HEADERS),
        )

    app.build_middleware_stack = build_inside  # type: ignore[method-assign]
