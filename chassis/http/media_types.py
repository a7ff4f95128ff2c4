"""The media types that request bodies may have: JSON, where a route does not say otherwise (RFC 9110 §15.5.16)."""

from fastapi import FastAPI, Request
from fastapi.dependencies.utils import get_dependant
from fastapi.routing import APIRoute
from starlette.datastructures import Headers

from chassis.http.content_negotiation import JSON
from chassis.http.errors import UnsupportedMediaType


def media_type(headers: Headers) -> str:
    """The type of a body, in lower case and without parameters; empty where none is given."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def require_json(headers: Headers) -> None:
    """Raise ``UnsupportedMediaType`` for everything but ``application/json`` and ``application/…+json``."""
    kind = media_type(headers)
    if kind != JSON and not (kind.startswith("application/") and kind.endswith("+json")):
        raise UnsupportedMediaType(accepted=JSON)


async def json_only(request: Request) -> None:
    """A dependency of routes with a body in JSON. A body that is left out needs no type."""
    if await request.body():
        require_json(request.headers)


def refuse_other_media_types(app: FastAPI) -> None:
    """For all routes of an app whose body FastAPI reads, which would call other types malformed.

    It is the last of a route's dependencies: a client that may not use the route learns that first.
    """
    for route in app.routes:
        if isinstance(route, APIRoute) and route.body_field:
            route.dependant.dependencies.append(get_dependant(path=route.path_format, call=json_only))
