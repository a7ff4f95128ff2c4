"""Health and metrics of every process, on a listener that is not for clients.

Without FastAPI, whose import would cost an event process memory.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from chassis.http.safe_headers import SafeHeaders
from chassis.persistence.errors import DatabaseUnavailable
from chassis.runtime.exposition import exposition
from chassis.runtime.single_flight import SingleFlight
from chassis.runtime.telemetry import DEPENDENCY_UP

Check = Callable[[], Awaitable[Any]]
"""Raises ``DatabaseUnavailable`` while the dependency cannot be used."""

Endpoint = Callable[[Request], Awaitable[Response]]

CHECK_SECONDS = 3.0


def health_endpoints(service: str, checks: Mapping[str, Check]) -> dict[str, Endpoint]:
    """Path → endpoint: ``/health/live``, ``/health/ready`` (503 while a check fails, naming it) and ``/metrics``."""

    checking: SingleFlight[dict[str, str]] = SingleFlight()

    async def check_all() -> dict[str, str]:
        results = dict(zip(checks, await asyncio.gather(*(_try(check) for check in checks.values())), strict=True))
        for name, result in results.items():
            DEPENDENCY_UP.labels(name).set(result == "ok")
        return results

    async def live(_request: Request) -> Response:
        """Answer as long as the process runs."""
        return JSONResponse({"service": service, "status": "ok"})

    async def ready(_request: Request) -> Response:
        """Check every dependency; 503 while one fails. Requests at the same time share a check."""
        results = await checking("all", check_all)
        good = all(result == "ok" for result in results.values())
        body = {"service": service, "status": "ok" if good else "unavailable", "checks": results}
        return JSONResponse(body, status_code=200 if good else 503)

    async def metrics(_request: Request) -> Response:
        """The metrics, for Prometheus; among them whether the process is ready, as of now."""
        await checking("all", check_all)
        return Response(exposition(service), media_type=CONTENT_TYPE_LATEST)

    return {"/health/live": live, "/health/ready": ready, "/metrics": metrics}


def operations_app(endpoints: Mapping[str, Endpoint]) -> ASGIApp:
    """What serves these to operators and to nobody else."""
    return SafeHeaders(Starlette(routes=[Route(path, endpoint) for path, endpoint in endpoints.items()]))


async def _try(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except DatabaseUnavailable as error:
        return str(error)[:200] or "away"
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:g} s"
    return "ok"
