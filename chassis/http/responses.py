"""Errors as problem details: the response when a route raises."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from chassis.http.bodies import PROBLEM_JSON
from chassis.http.errors import (
    BodyTooLarge,
    MalformedRequest,
    ShopError,
    Unavailable,
    UnsupportedEncoding,
    UnsupportedMediaType,
    problem,
)
from chassis.http.openapi import allowed
from chassis.http.plain_errors import in_words
from chassis.http.routing import MAX_BODY
from chassis.http.safe_headers import SAFE_HEADERS
from chassis.persistence.errors import ConcurrentUpdate, DatabaseUnavailable

log = structlog.get_logger()


def error_response(request: Request, error: ShopError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The response for an error, with the headers that its status needs."""
    body = _body(request, error.status, error.code, error.detail, **error.extra)
    extra = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    if isinstance(error, UnsupportedEncoding):
        extra["Accept-Encoding"] = "gzip"
    if isinstance(error, UnsupportedMediaType):
        extra["Accept"] = error.extra["accepted"]
    if error.status in (429, 503):
        extra["Retry-After"] = str(error.extra.get("retry_after", 1))
    return JSONResponse(body, error.status, {**extra, **(headers or {})}, media_type=PROBLEM_JSON)


def _body(request: Request, status: int, code: str, detail: str, **extra: Any) -> dict[str, Any]:
    return problem(status, code, detail, request_id=request.scope["state"]["request_id"], **extra)


async def _shop_error(request: Request, error: Any) -> JSONResponse:
    return error_response(request, error)


async def _unavailable(request: Request, error: Any) -> JSONResponse:
    log.warning("database unavailable", why=str(error)[:200])
    return error_response(request, Unavailable())


async def _malformed(request: Request, error: Any) -> JSONResponse:
    # The input is not echoed: it may be a password, or no valid Unicode.
    places = [
        {"where": "/".join(_safe(part) for part in e["loc"]), "what": _safe(in_words(e)), "type": e["type"]}
        for e in error.errors()[:20]
    ]
    return error_response(request, MalformedRequest(errors=places))


async def _http_error(request: Request, error: Any) -> JSONResponse:
    if error.status_code == 413:
        return error_response(request, BodyTooLarge(limit=MAX_BODY))
    if error.status_code == 400:
        # FastAPI's response to a body that its JSON parser gave up on: bad UTF-8, nesting, endless numbers.
        return error_response(request, MalformedRequest("The body cannot be read as JSON."))
    codes = {404: "not_found", 405: "method_not_allowed"}
    body = _body(request, error.status_code, codes.get(error.status_code, "http_error"), str(error.detail))
    headers = {"Allow": allowed(request)} if error.status_code == 405 else error.headers
    return JSONResponse(body, error.status_code, headers, media_type=PROBLEM_JSON)


async def _bug(request: Request, error: Any) -> JSONResponse:
    log.error("request failed", exc_info=error)
    # Sent by Starlette outside of our middleware.
    headers = {**SAFE_HEADERS, "X-Request-Id": request.scope["state"]["request_id"]}
    return error_response(request, ShopError(), headers)


HANDLERS: Mapping[Any, Callable[[Request, Any], Awaitable[JSONResponse]]] = {
    ShopError: _shop_error,
    DatabaseUnavailable: _unavailable,
    ConcurrentUpdate: _unavailable,
    RequestValidationError: _malformed,
    HTTPException: _http_error,
    Exception: _bug,
}
"""Exception → what makes the response."""


def _safe(text: Any) -> str:
    return str(text).encode(errors="backslashreplace").decode()[:200]
