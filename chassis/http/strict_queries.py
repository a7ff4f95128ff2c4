"""Refuses query parameters that a route does not have, as bodies refuse unknown fields.

``?limt=2`` would be answered with a page of fifty, and ``?stat=PENDING`` with everything, as if that was asked for.
"""

from collections.abc import Set

from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant, get_flat_params
from fastapi.routing import APIRoute

from chassis.http.errors import MalformedRequest
from chassis.http.hot_route import HotRoute

MAX_NAMED = 20
"""How many unknown parameters an answer names."""


class KnownParameters:
    """The query parameters of a route: those of a model one by one, and those of dependencies."""

    def __init__(self, route: APIRoute) -> None:
        self._names = _names(route.dependant)

    async def __call__(self, request: Request) -> None:
        """Raise ``MalformedRequest`` for a request with others."""
        if request.scope["query_string"]:
            unknown = [name for name in request.query_params if name not in self._names]
            if unknown:
                raise MalformedRequest(errors=[_error(name) for name in unknown[:MAX_NAMED]])


def refuse_unknown_parameters(app: FastAPI) -> None:
    """For the documented routes of an app, which has them all. Pages for people take what is added to links.

    It is the last of a route's dependencies: a client that may not use the route learns that first.
    """
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            known = KnownParameters(route)
            if isinstance(route, HotRoute):
                route.check = known
            else:
                route.dependant.dependencies.append(get_dependant(path=route.path_format, call=known))


def _names(dependant: Dependant) -> Set[str]:
    own = {one.alias for one in get_flat_params(Dependant(query_params=dependant.query_params))}
    return own.union(*map(_names, dependant.dependencies))


def _error(name: str) -> dict[str, str]:
    shown = name.encode(errors="backslashreplace").decode()[:200]
    return {"where": f"query/{shown}", "what": "There is no such parameter", "type": "extra_forbidden"}
