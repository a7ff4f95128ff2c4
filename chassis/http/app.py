"""The REST process of a service: an app around a container, with errors, request ids, health and metrics."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI
from pydantic_core import Url

from chassis.http import api_page
from chassis.http.bodies import Problem
from chassis.http.compressed_bodies import CompressedBodies
from chassis.http.compressed_responses import CompressedResponses
from chassis.http.container import C, RestContainer
from chassis.http.cross_origin import allow_origins
from chassis.http.errors import OutcomeUnknown
from chassis.http.head_requests import HeadRequests
from chassis.http.in_progress import InProgress
from chassis.http.introduction import introduction, servers
from chassis.http.media_types import refuse_other_media_types
from chassis.http.middleware import RequestMiddleware
from chassis.http.old_cursors import OldCursors
from chassis.http.openapi import HEALTH, described, serve_document
from chassis.http.responses import HANDLERS
from chassis.http.revalidation import Revalidation
from chassis.http.routing import operation_id, problems
from chassis.http.strict_queries import refuse_unknown_parameters
from chassis.messaging.wake_ups import send_wake_ups
from chassis.runtime import failpoints, gc_tuning
from chassis.runtime.background import in_background
from chassis.runtime.health import health_endpoints, operations_app
from chassis.runtime.security_log import ROLE_EXCEEDED, expose_security_event
from chassis.runtime.server import Server, http_limits, serving_operations
from chassis.runtime.settings import Settings
from chassis.runtime.telemetry import configure_logging
from chassis.runtime.tracing import exporting_spans


def create_app(
    service: str,
    title: str,
    *routers: APIRouter,
    open_container: Callable[[], AbstractAsyncContextManager[C]],
    ops: APIRouter,
    public_urls: Mapping[str, Url] = {},
    on_shutdown: Callable[[C], object] = lambda _container: None,
    origins: Collection[str] = (),
) -> FastAPI:
    """A service's app; ``ops`` is its ``ops_router``, ``public_urls`` are those of all services by name.

    The container is open while the app runs.

    Routes get the container's parts by dependencies (``request.app.state.container``). ``on_shutdown`` is called when
    the process is to stop, before the requests in flight are waited for. ``origins`` are those of pages elsewhere
    that may call it from a browser.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_container() as container:
            app.state.container = container
            committing = asyncio.create_task(container.commit.run(), name="group commit")
            async with in_background(send_wake_ups(container.database), "wake the relay"):
                yield
            committing.cancel()

    app = FastAPI(
        title=title,
        version="1",
        description=introduction(public_urls),
        servers=[*servers(service, public_urls)],
        generate_unique_id_function=operation_id,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False},
        redirect_slashes=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    expose_security_event(*ROLE_EXCEEDED)
    app.state.on_shutdown = lambda: on_shutdown(app.state.container)
    for router in (api_page.router, ops, *routers):
        # The route objects themselves and first: an included router is searched twice at every request.
        app.router.routes[:0] = router.routes
    _add_health(app, service)
    refuse_unknown_parameters(app)
    refuse_other_media_types(app)
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)
    app.state.in_progress = InProgress()
    # The last is the outermost.
    app.add_middleware(OldCursors)
    app.add_middleware(CompressedBodies)
    app.add_middleware(CompressedResponses)
    app.add_middleware(Revalidation)
    app.add_middleware(HeadRequests)
    app.add_middleware(RequestMiddleware, in_progress=app.state.in_progress)
    app.openapi = described(app, Problem, problems(OutcomeUnknown))  # type: ignore[method-assign]
    serve_document(app)
    allow_origins(app, origins)
    return app


def _add_health(app: FastAPI, service: str) -> None:
    async def database() -> None:
        container: RestContainer = app.state.container
        await container.database.check()

    endpoints = health_endpoints(service, {"database": database})
    app.state.operations = operations_app(endpoints)
    for path, (summary, responses) in HEALTH.items():
        name = f"check_{path.rpartition('/')[2]}"
        app.add_api_route(path, endpoints[path], name=name, tags=["health"], summary=summary, responses=responses)


def serve(app: FastAPI, service: str, settings: Settings) -> None:
    """Run a REST process until SIGTERM or SIGINT; requests in flight get ten seconds to finish.

    Health and metrics are served on a listener of their own as well, and the metrics nowhere else.
    """
    configure_logging(service, settings.log_level, settings.log_format, access_log=settings.access_log)
    failpoints.arm(settings.failpoints)
    gc_tuning.freeze_startup_objects()
    app.state.in_progress.limit = settings.http_requests
    address: dict[str, Any] = {"host": settings.host, "port": settings.port}
    limits, proxies = http_limits(settings), settings.forwarded_allow_ips
    metrics = settings.metrics_host, settings.metrics_port
    operations = partial(serving_operations, app.state.operations, limits, *metrics)
    server = Server(app, app.state.on_shutdown, limits, proxies, operations, **address, timeout_graceful_shutdown=10)
    with exporting_spans(service, settings):
        server.serve_until_signal()
