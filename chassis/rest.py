"""The REST front of a service: errors as problem details, request ids, health, metrics, and the write side."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Annotated, Any, TypeVar

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from prometheus_client import Histogram
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

from chassis import apipage, faults, heap
from chassis.auth import Verifier
from chassis.database import Away, Conflict, Database
from chassis.errors import BodyTooLarge, Malformed, OutcomeUnknown, ShopError, Unavailable, problem
from chassis.examples import ID
from chassis.groupcommit import GroupCommit
from chassis.headers import BY_STATUS, carries
from chassis.health import Check, health_endpoints
from chassis.openapi import HEALTH, allowed, described
from chassis.server import Server
from chassis.settings import Settings
from chassis.telemetry import HTTP_SECONDS, configure_logging, continued, trace
from chassis.unit import Unit

log = structlog.get_logger()

MAX_BODY = 256 * 1024
PROBLEM_JSON = "application/problem+json"

U = TypeVar("U", bound=Unit)


class Body(BaseModel):
    """A request body: unknown fields and near-miss types (``"1"`` or ``false`` for a number) are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Answer(BaseModel):
    """A response body."""

    model_config = ConfigDict(frozen=True)


class Problem(BaseModel):
    """Problem details (RFC 9457). ``code`` is stable; ``detail`` is for people."""

    type: Annotated[str, Field(examples=["urn:shopstream:problem:not_found"])]
    title: Annotated[str, Field(examples=["Not found"])]
    status: Annotated[int, Field(examples=[404])]
    code: Annotated[str, Field(examples=["not_found"])]
    detail: Annotated[str, Field(examples=["There is no such thing."])]
    request_id: Annotated[str, Field(examples=[ID])]


EVERYWHERE: Sequence[type[ShopError]] = (BodyTooLarge, Unavailable, Malformed)
"""How every route can fail."""


def problems(*errors: type[ShopError]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI ``responses`` of a route that can fail in these ways."""
    answers: dict[int | str, dict[str, Any]] = {}
    # What a route says of a status stands in place of what its router says of it: so it has to say both.
    statuses = {error.status for error in errors}
    shared = [error for error in EVERYWHERE if error.status in statuses]
    for error in dict.fromkeys((*shared, *errors)):
        told = f"`{error.code}`: {(error.__doc__ or '').strip().splitlines()[0]}"
        known = answers.get(error.status)
        shown = {**(known["content"][PROBLEM_JSON]["examples"] if known else {}), error.code: _shown(error)}
        answers[error.status] = {
            "description": f"{known['description']}\n\n{told}" if known else told,
            "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": shown}},
            **carries(*BY_STATUS.get(error.status, ())),
        }
    return answers


def _shown(error: type[ShopError]) -> dict[str, Any]:
    return {"value": problem(error.status, error.code, error().detail, request_id=ID, **error.example)}


def new_router(*errors: type[ShopError], route_class: type[APIRoute] = APIRoute, **options: Any) -> APIRouter:
    """A router for a service's routes, all of which may answer with these errors; ``options`` are FastAPI's."""
    # The limit is not the app's: its answer would be given outside of our middleware, as plain text.
    return APIRouter(
        route_class=route_class,
        max_body_size=MAX_BODY,
        responses=problems(*EVERYWHERE, *errors),
        **options,
    )


def create_app(
    service: str,
    title: str,
    *routers: APIRouter,
    database: Database[Any],
    commit: GroupCommit[Any],
    verifier: Verifier,
    ops: APIRouter,
    opening: Sequence[Callable[[], Awaitable[Any]]] = (),
    closing: Sequence[Callable[[], Awaitable[Any]]] = (),
    ending: Sequence[Callable[[], object]] = (),
    needs: Mapping[str, Any] | None = None,
) -> FastAPI:
    """A service's app; ``ops`` is its ``ops_router``. ``needs`` are what its routes ask for with ``state(name)``.

    ``ending`` is called when it is to end, before the requests in flight are waited for; ``closing`` after that.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        for opened in opening:
            await opened()
        committing = asyncio.create_task(commit.run(), name="group commit")
        yield
        committing.cancel()
        for close in (*closing, database.close):
            await close()

    app = FastAPI(
        title=title,
        version="1",
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False},
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    app.state.commit, app.state.database, app.state.verifier = commit, database, verifier
    app.state.ending = ending
    for name, value in (needs or {}).items():
        setattr(app.state, name, value)
    for router in (apipage.router, ops, *routers):
        # As they are and before the others: an included router is searched twice at every request.
        app.router.routes[:0] = router.routes
    _add_health(app, service, {"database": database.check})
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    app.add_middleware(Requests)
    app.openapi = described(app, Problem, problems(OutcomeUnknown))  # type: ignore[method-assign]
    return app


def _add_health(app: FastAPI, service: str, checks: Mapping[str, Check]) -> None:
    for path, endpoint in health_endpoints(service, checks).items():
        summary, answers = HEALTH.get(path, (None, {}))
        app.add_api_route(
            *(path, endpoint), tags=["health"], summary=summary, responses=answers, include_in_schema=path in HEALTH
        )


def serve(app: FastAPI, service: str, settings: Settings) -> None:
    """Run a REST front until SIGTERM or SIGINT; requests in flight get ten seconds to finish."""
    configure_logging(service, settings.log_level, settings.log_format)
    faults.arm(settings.faults)
    heap.settle()
    server = Server(app, app.state.ending, host=settings.host, port=settings.port, timeout_graceful_shutdown=10)
    server.run_until_told()


class Requests:
    """Gives every request an id and a trace, answers with the id, and counts and times the request."""

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

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            app = _too_large if _told_length(headers) > MAX_BODY else self._app
            await app(scope, receive, answer)
        finally:
            _observe(scope, status, time.perf_counter() - began)
        return None


def _told_length(headers: Mapping[bytes, bytes]) -> int:
    told = headers.get(b"content-length", b"")
    return int(told[:19]) if told.isdigit() else 0


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    answer = _respond(Request(scope), BodyTooLarge(limit=MAX_BODY))
    await answer(scope, receive, send)


def _observe(scope: MutableMapping[str, Any], status: int, seconds: float) -> None:
    found = scope.get("route")
    route = getattr(found, "label", None) or getattr(found, "path", "unmatched")
    _seconds(scope["method"], route, status).observe(seconds)
    write = log.warning if status >= 500 else log.debug
    write("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))


@cache
def _seconds(method: str, route: str, status: int) -> Histogram:
    return HTTP_SECONDS.labels(method, route, status)


def _respond(request: Request, error: ShopError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    body = _body(request, error.status, error.code, error.detail, **error.extra)
    extra = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    if error.status in (429, 503):
        extra["Retry-After"] = str(error.extra.get("retry_after", 1))
    return JSONResponse(body, error.status, {**extra, **(headers or {})}, media_type=PROBLEM_JSON)


def _body(request: Request, status: int, code: str, detail: str, **extra: Any) -> dict[str, Any]:
    return problem(status, code, detail, request_id=request.scope["state"]["request_id"], **extra)


async def _shop_error(request: Request, error: Any) -> JSONResponse:
    return _respond(request, error)


async def _away(request: Request, error: Any) -> JSONResponse:
    log.warning("store away", why=str(error)[:200])
    return _respond(request, Unavailable())


async def _malformed(request: Request, error: Any) -> JSONResponse:
    # What was sent is not echoed: it may be a password, or no valid Unicode.
    places = [
        {"where": "/".join(_safe(part) for part in e["loc"]), "what": _safe(e["msg"]), "type": e["type"]}
        for e in error.errors()[:20]
    ]
    return _respond(request, Malformed(errors=places))


async def _http_error(request: Request, error: Any) -> JSONResponse:
    if error.status_code == 413:
        return _respond(request, BodyTooLarge(limit=MAX_BODY))
    if error.status_code == 400:
        # FastAPI's answer to a body that its JSON parser gave up on: bad UTF-8, nesting, endless numbers.
        return _respond(request, Malformed("The body cannot be read as JSON."))
    codes = {404: "not_found", 405: "method_not_allowed"}
    body = _body(request, error.status_code, codes.get(error.status_code, "http_error"), str(error.detail))
    headers = {"Allow": allowed(request)} if error.status_code == 405 else error.headers
    return JSONResponse(body, error.status_code, headers, media_type=PROBLEM_JSON)


async def _bug(request: Request, error: Any) -> JSONResponse:
    log.error("request failed", exc_info=error)
    return _respond(request, ShopError())


_HANDLERS: Mapping[Any, Callable[[Request, Any], Awaitable[JSONResponse]]] = {
    ShopError: _shop_error,
    Away: _away,
    Conflict: _away,
    RequestValidationError: _malformed,
    HTTPException: _http_error,
    Exception: _bug,
}


def _safe(text: Any) -> str:
    return str(text).encode(errors="backslashreplace").decode()[:200]


def state(name: str) -> Any:
    """A dependency: what ``create_app`` was given under this name (``commit`` and ``database`` always)."""

    async def get(request: Request) -> Any:
        return getattr(request.app.state, name)

    return Depends(get)
