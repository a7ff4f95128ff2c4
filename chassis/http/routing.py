"""Routers, and how a route documents its errors in the OpenAPI."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute

from chassis.http.bodies import PROBLEM_JSON
from chassis.http.errors import (
    BodyTooLarge,
    HeadersTooLarge,
    MalformedRequest,
    Overloaded,
    RequestTimeout,
    ShopError,
    Unavailable,
    UnsupportedEncoding,
    UnsupportedMediaType,
    problem,
)
from chassis.http.examples import ID
from chassis.http.headers import BY_STATUS, carries

MAX_BODY = 256 * 1024

EVERYWHERE: Sequence[type[ShopError]] = (
    *(RequestTimeout, BodyTooLarge, UnsupportedEncoding, UnsupportedMediaType, MalformedRequest, HeadersTooLarge),
    *(Unavailable, Overloaded),
)
"""The errors of every route."""


def problems(*errors: type[ShopError]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI ``responses`` of a route with these errors: ``problems(Unauthenticated, *PlaceOrder.errors)``."""
    responses: dict[int | str, dict[str, Any]] = {}
    # A route's entry for a status replaces its router's entry, so it has to repeat it.
    statuses = {error.status for error in errors}
    shared = [error for error in EVERYWHERE if error.status in statuses]
    for error in dict.fromkeys((*shared, *errors)):
        text = f"`{error.code}`: {(error.__doc__ or '').strip().splitlines()[0]}"
        known = responses.get(error.status)
        shown = {**(known["content"][PROBLEM_JSON]["examples"] if known else {}), error.code: _example(error)}
        responses[error.status] = {
            "description": f"{known['description']}\n\n{text}" if known else text,
            "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": shown}},
            **carries(*BY_STATUS.get(error.status, ())),
        }
    return responses


def _example(error: type[ShopError]) -> dict[str, Any]:
    return {"value": problem(error.status, error.code, error().detail, request_id=ID, **error.example)}


def operation_id(route: APIRoute) -> str:
    """What clients that are generated call a route: the name of its function, which a service has once."""
    return route.name


def new_router(*errors: type[ShopError], route_class: type[APIRoute] = APIRoute, **options: Any) -> APIRouter:
    """A router for a service's routes, all of which may fail with these errors; ``options`` are FastAPI's."""
    # The limit is not the app's: its response would be sent outside of our middleware, as plain text.
    return APIRouter(
        route_class=route_class,
        max_body_size=MAX_BODY,
        responses=problems(*EVERYWHERE, *errors),
        generate_unique_id_function=operation_id,
        **options,
    )


def combine(*routers: APIRouter) -> APIRouter:
    """One router with the routes of all."""
    combined = new_router()
    # The route objects themselves: an included router is searched twice at every request.
    combined.routes.extend(route for router in routers for route in router.routes)
    return combined
