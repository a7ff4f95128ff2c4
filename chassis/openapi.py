"""What FastAPI gets not quite right of how an app describes itself."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from pydantic import BaseModel
from starlette.routing import Match, Route


def with_schema(app: FastAPI, model: type[BaseModel]) -> Callable[[], dict[str, Any]]:
    """The app's ``openapi``, in which a model has its place that routes name by reference alone.

    Given to FastAPI as the model of an answer, it would be promised as ``application/json``.
    """
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        made = describe()
        made.setdefault("components", {}).setdefault("schemas", {})[model.__name__] = model.model_json_schema()
        return made

    return openapi


def allowed(request: Request) -> str:
    """The ``Allow`` of a 405 (RFC 9110 §10.2.1): Starlette names the methods of the first route of a path alone."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    path = next(route.path for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    return ", ".join(sorted({method for route in routes if route.path == path for method in route.methods or ()}))
