"""What FastAPI gets not quite right of how an app describes itself, and what it leaves out."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field
from starlette.routing import Match, Route

from chassis.http.examples import complete, operations
from chassis.http.headers import EVERYWHERE, HEADERS, carries


class LiveOut(BaseModel):
    """A process that can answer."""

    service: Annotated[str, Field(examples=["order_svc"])]
    status: Literal["ok"]


class ReadyOut(BaseModel):
    """Whether a process can do its work, and for each thing that it needs `ok` or what is wrong with it."""

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
"""Path → what it asks, and the answers that its endpoint gives without FastAPI."""


NOTHING: dict[int | str, dict[str, Any]] = {202: {"content": {"application/json": {"schema": {"type": "null"}}}}}
"""The answer of a route that has nothing to say but that it will be done."""


def described(
    app: FastAPI, model: type[BaseModel], writing: dict[int | str, dict[str, Any]]
) -> Callable[[], dict[str, Any]]:
    """The app's ``openapi``, whole: with headers and examples, and ``writing`` for each route that changes something.

    The ``model`` is what routes name by reference alone: given to FastAPI as the model of an answer, it would be
    promised as ``application/json``.
    """
    describe = app.openapi

    @cache
    def openapi() -> dict[str, Any]:
        # A copy, for routes share what they say.
        made = deepcopy(describe())
        components = made.setdefault("components", {})
        components.setdefault("schemas", {})[model.__name__] = model.model_json_schema()
        components["headers"] = dict(HEADERS)
        for route, operation in operations(made):
            if not route.startswith("GET "):
                _add(operation["responses"], writing)
            for answer in operation["responses"].values():
                answer.setdefault("headers", {}).update(carries(*EVERYWHERE)["headers"])
        complete(made)
        return made

    return openapi


def _add(answers: dict[str, Any], more: dict[int | str, dict[str, Any]]) -> None:
    """Say of statuses that are there already that they can have other reasons too."""
    for status, answer in more.items():
        known = answers[str(status)]
        known["description"] = f"{known['description']}\n\n{answer['description']}"
        for media, body in answer["content"].items():
            known["content"][media]["examples"] |= body["examples"]


def allowed(request: Request) -> str:
    """The ``Allow`` of a 405 (RFC 9110 §10.2.1): Starlette names the methods of the first route of a path alone."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    path = next(route.path for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    return ", ".join(sorted({method for route in routes if route.path == path for method in route.methods or ()}))
