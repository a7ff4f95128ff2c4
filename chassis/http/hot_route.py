"""A route for hot paths: FastAPI documents it, and this runs it.

FastAPI's dependency solver costs more than everything else that placing an order does in its process. Here
the parameters of a route are resolved by a few functions that are chosen once, at start. It supports less: one JSON
body, headers, query parameters, and dependencies on the request alone (``Customer``, the container's parts).
"""

import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.params import Depends, Header, Query
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.datastructures import Headers

from chassis.http.media_types import require_json

Resolve = Callable[[Request], Awaitable[Any]]


class HotRoute(APIRoute):
    """Use it as a router's ``route_class``. The endpoint returns a ``Response``."""

    check: Callable[[Request], Awaitable[None]] | None = None
    """Called when the parameters are resolved; raises for a request that is to be refused."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Called once by FastAPI."""
        hints = get_type_hints(self.endpoint, include_extras=True)
        parameters = inspect.signature(self.endpoint).parameters.values()
        resolvers = {p.name: _resolver(p.name, hints[p.name], p.default) for p in parameters}
        endpoint: Callable[..., Awaitable[Response]] = self.endpoint

        async def handle(request: Request) -> Response:
            # In the order of the endpoint's parameters: with the principal first, authorisation fails before the body
            # is looked at.
            given = {name: await resolve(request) for name, resolve in resolvers.items()}
            if self.check:
                await self.check(request)
            return await endpoint(**given)

        return handle


def _resolver(name: str, hint: Any, default: Any) -> Resolve:
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return _body(hint)
    for extra in get_args(hint) if get_origin(hint) is Annotated else ():
        if isinstance(extra, Depends) and extra.dependency:
            return extra.dependency
        if isinstance(extra, Header):
            read = _lines if _takes_many(hint) else Headers.get
            return _header(name.replace("_", "-"), read, TypeAdapter(hint), default)
        if isinstance(extra, Query):
            return _query(name, TypeAdapter(hint), default)
    raise TypeError(f"a hot route cannot resolve {name}: {hint}")


def _body(model: type[BaseModel]) -> Resolve:
    async def resolve(request: Request) -> BaseModel:
        content = await request.body()
        if content:
            require_json(request.headers)
        try:
            # Parsed and validated in one pass, without an intermediate Python object.
            return model.model_validate_json(content)
        except ValidationError as error:
            raise _refused("body", error.errors(include_input=False, include_url=False)) from None

    return resolve


def _header(name: str, read: Callable[[Headers, str], Any], adapter: TypeAdapter[Any], default: Any) -> Resolve:
    async def resolve(request: Request) -> Any:
        return _checked("header", name, read(request.headers, name), adapter, default)

    return resolve


def _query(name: str, adapter: TypeAdapter[Any], default: Any) -> Resolve:
    async def resolve(request: Request) -> Any:
        given = request.query_params.get(name) if request.scope["query_string"] else None
        return _checked("query", name, given, adapter, default)

    return resolve


def _checked(place: str, name: str, given: Any, adapter: TypeAdapter[Any], default: Any) -> Any:
    if given is None and default is not inspect.Parameter.empty:
        return default
    try:
        return adapter.validate_python(given)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise _refused(place, [{**one, "loc": (name,)} for one in found]) from None


def _takes_many(hint: Any) -> bool:
    kind = get_args(hint)[0]
    return list in (get_origin(one) for one in (kind, *get_args(kind)))


def _lines(headers: Headers, name: str) -> list[str] | None:
    """A header that may be repeated."""
    return headers.getlist(name) or None


def _refused(place: str, errors: list[Any]) -> RequestValidationError:
    return RequestValidationError([_at(place, error) for error in errors])


def _at(place: str, error: Mapping[str, Any]) -> dict[str, Any]:
    return {**error, "loc": (place, *error["loc"])}
