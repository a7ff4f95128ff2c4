"""Health and metrics routes, the same for every process."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chassis.database import Away

Check = Callable[[], Awaitable[Any]]
"""Raises ``Away`` while the thing it looks at cannot be used."""

CHECK_SECONDS = 3.0


def add_health(app: FastAPI, service: str, checks: Mapping[str, Check]) -> None:
    """Add ``/health/live``, ``/health/ready`` (503 while a check fails, naming it) and ``/metrics``."""

    @app.get("/health/live", tags=["health"], summary="Is the process running?")
    async def live() -> dict[str, str]:
        """Answer whenever the process can answer at all."""
        return {"service": service, "status": "ok"}

    @app.get("/health/ready", tags=["health"], summary="Can it do its work?", responses={503: {}})
    async def ready() -> JSONResponse:
        """Try everything that the service stands on."""
        results = dict(zip(checks, await asyncio.gather(*(_try(check) for check in checks.values())), strict=True))
        good = all(result == "ok" for result in results.values())
        body = {"service": service, "status": "ok" if good else "unavailable", "checks": results}
        return JSONResponse(body, status_code=200 if good else 503)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _try(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except Away as error:
        return str(error)[:200] or "away"
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:g} s"
    return "ok"
