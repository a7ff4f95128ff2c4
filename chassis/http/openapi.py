"""Corrections and additions to the OpenAPI document that FastAPI generates."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from typing import Annotated, Any, Literal

import orjson
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, Field
from starlette.routing import Match, Route

from chassis.http.examples import complete, operations
from chassis.http.headers import EVERYWHERE, HEADERS, carries
from chassis.http.plain_document import make_plain
from chassis.http.revalidation import cacheable_paths, describe_revalidation
from chassis.http.safe_headers import cacheable


class LiveOut(BaseModel):
    """The process is running."""

    service: Annotated[str, Field(examples=["order_svc"])]
    status: Literal["ok"]


class ReadyOut(BaseModel):
    """Whether the process can do its work, and for each dependency `ok` or the reason why not."""

    service: Annotated[str, Field(examples=["order_svc"])]
    status: Literal["ok", "unavailable"]
    checks: Annotated[dict[str, str], Field(examples=[{"database": "ok"}])]


_AWAY = {"service": "order_svc", "status": "unavailable", "checks": {"database": "no answer within 3 s"}}
HEALTH: Mapping[str, tuple[str, dict[int | str, dict[str, Any]]]] = {
    "/health/live": ("Is the process running?", {200: {"model": LiveOut}}),
    "/health/ready": (
        "Can it do its work?",
        {
            200: {"model": ReadyOut},
            503: {
                "model": ReadyOut,
                "description": "It cannot: `checks` says why.",
                "content": {"application/json": {"example": _AWAY}},
            },
        },
    ),
}
"""Path → its summary, and the responses that its endpoint gives without FastAPI."""


def described(
    app: FastAPI, model: type[BaseModel], writing: dict[int | str, dict[str, Any]]
) -> Callable[[], dict[str, Any]]:
    """The app's ``openapi``, with headers and examples, and the responses ``writing`` for each route that writes.

    The ``model`` is what routes name by reference alone: given to FastAPI as a response model, it would be
    documented as ``application/json``.
    """
    describe = app.openapi

    @cache
    def openapi() -> dict[str, Any]:
        # A copy: routes share parts of it.
        made = deepcopy(describe())
        components = made.setdefault("components", {})
        components.setdefault("schemas", {})[model.__name__] = model.model_json_schema()
        components["headers"] = dict(HEADERS)
        describe_revalidation(made, cacheable_paths(app))
        for route, operation in operations(made):
            if not route.startswith("GET "):
                _add(operation["responses"], writing)
            for response in operation["responses"].values():
                response.setdefault("headers", {}).update(carries(*EVERYWHERE)["headers"])
        make_plain(made)
        complete(made)
        return made

    return openapi


def serve_document(app: FastAPI) -> None:
    """Serve the app's document at ``/openapi.json``, encoded once: it is large, and anybody can ask for it."""

    @cache
    def encoded() -> bytes:
        return orjson.dumps(app.openapi())

    @cacheable(seconds=300)
    async def document(_request: Request) -> Response:
        return Response(encoded(), media_type="application/json")

    app.add_route("/openapi.json", document, include_in_schema=False)


def _add(responses: dict[str, Any], more: dict[int | str, dict[str, Any]]) -> None:
    """Add further errors to statuses that are documented already."""
    for status, response in more.items():
        known = responses[str(status)]
        known["description"] = f"{known['description']}\n\n{response['description']}"
        for media, body in response["content"].items():
            known["content"][media]["examples"] |= body["examples"]


def allowed(request: Request) -> str:
    """The ``Allow`` of a 405 (RFC 9110 §10.2.1): Starlette names the methods of the first route of a path alone."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    path = next(route.path for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    methods = {method for route in routes if route.path == path for method in route.methods or ()}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
