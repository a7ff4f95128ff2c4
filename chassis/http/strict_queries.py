"""Refuses query parameters that a route does not have, as bodies refuse unknown fields.

``?limt=2`` would be answered with a page of fifty, and ``?stat=PENDING`` with everything, as if that was asked for.
"""

from collections.abc import Set

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from starlette.datastructures import QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.http.errors import MalformedRequest

MAX_NAMED = 20
"""How many unknown parameters an answer names."""


def refuse_unknown_parameters(app: FastAPI) -> None:
    """For the documented routes of an app, which has them all. Pages for people take what is added to links."""
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            route.app = _strict(route.app, _names(route.dependant))


def _names(dependant: Dependant) -> Set[str]:
    """The names of the query parameters, those of a model one by one, and those of dependencies."""
    own = {one.alias for one in get_flat_params(Dependant(query_params=dependant.query_params))}
    return own.union(*map(_names, dependant.dependencies))


def _strict(app: ASGIApp, names: Set[str]) -> ASGIApp:
    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["query_string"]:
            unknown = [name for name in QueryParams(scope["query_string"]) if name not in names]
            if unknown:
                raise MalformedRequest(errors=[_error(name) for name in unknown[:MAX_NAMED]])
        await app(scope, receive, send)

    return checked


def _error(name: str) -> dict[str, str]:
    shown = name.encode(errors="backslashreplace").decode()[:200]
    return {"where": f"query/{shown}", "what": "There is no such parameter", "type": "extra_forbidden"}
