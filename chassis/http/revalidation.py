"""Names the representation of what is read, and answers 304 to clients that have it already (RFC 9110 §13.1.2).

The version of a resource stays the same while what is said beside it changes: the stock of a product, the name of an
order's customer. So the entity tag of a response to GET has two parts, the version and a digest of the body:
``"3.tRvQm0aWZ1kX"``. ``If-None-Match`` compares the whole tag, ``If-Match`` only the version (``preconditions``): a
change overwrites nothing else.
"""

from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterable
from hashlib import blake2b
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.http.examples import operations
from chassis.http.headers import carries
from chassis.http.preconditions import ANY, representation_tag
from chassis.http.safe_headers import is_cacheable

ETAG, IF_NONE_MATCH = b"etag", b"if-none-match"
OF_CONTENT = {b"content-type", b"content-length", b"content-encoding"}
"""The headers that a response without content does not have."""
DIGEST_BYTES = 9

Headers = Iterable[tuple[bytes, bytes]]


class Revalidation:
    """Tags whole responses to GET whose route gives a version, or that caches may keep.

    It is around what compresses them: so a compressed response has a tag of its own (§8.8.3.3). A stream, whose body
    is not known when its headers are sent, keeps the tag that it has.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or scope["method"] != "GET":
            return await self._app(scope, receive, send)
        held: Message | None = None

        async def send_tagged(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and _can_be_tagged(scope, message):
                held = message
                return
            start, held = held, None
            if start is not None:
                start, message = _tagged(scope["headers"], start, message)
                await send(start)
            await send(message)

        return await self._app(scope, receive, send_tagged)


def _can_be_tagged(scope: Scope, start: Message) -> bool:
    if start["status"] != 200:
        return False
    return is_cacheable(scope.get("endpoint")) or any(name == ETAG for name, _ in start["headers"])


def _tagged(request: Headers, start: Message, body: Message) -> tuple[Message, Message]:
    """Both messages of a response, with its tag; a 304 and nothing where the client has it."""
    if body["type"] != "http.response.body" or body.get("more_body", False):
        return start, body
    headers = start["headers"]
    version = next((value for name, value in headers if name == ETAG), None)
    tag = representation_tag(version and version.decode("latin-1"), _digest(body.get("body", b"")))
    headers = [*(one for one in headers if one[0] != ETAG), (ETAG, tag.encode("latin-1"))]
    if not _has(request, tag):
        return {**start, "headers": headers}, body
    kept = [one for one in headers if one[0] not in OF_CONTENT]
    return {**start, "status": 304, "headers": kept}, {**body, "body": b""}


def _has(request: Headers, tag: str) -> bool:
    """Whether one of the tags in ``If-None-Match`` is this one, which proxies may have made a weak one."""
    given = ",".join(value.decode("latin-1") for name, value in request if name == IF_NONE_MATCH)
    # Our own tags have no commas, so a list can be split at them.
    return bool({ANY, tag} & {one.strip().removeprefix("W/") for one in given.split(",")})


def _digest(body: bytes) -> str:
    return urlsafe_b64encode(blake2b(body, digest_size=DIGEST_BYTES).digest()).decode()


def cacheable_paths(app: FastAPI) -> set[str]:
    """The paths of an app whose responses caches may keep."""
    return {route.path_format for route in app.routes if isinstance(route, APIRoute) and is_cacheable(route.endpoint)}


def describe_revalidation(document: dict[str, Any], cacheable: Collection[str]) -> None:
    """Add to the routes of an OpenAPI document whose responses are tagged what that means for clients."""
    for route, operation in operations(document):
        method, path = route.split(" ")
        responses = operation["responses"]
        if method != "GET" or not (path in cacheable or "ETag" in responses.get("200", {}).get("headers", ())):
            continue
        responses["200"].setdefault("headers", {}).update(carries("ETag")["headers"])
        responses["304"] = {"description": "You have it already: nothing is different.", **carries("ETag")}
        operation.setdefault("parameters", []).append(
            {
                "name": "If-None-Match",
                "in": "header",
                "required": False,
                "description": "the `ETag` of the response that you have",
                "schema": {"type": "string", "examples": ['"3.tRvQm0aWZ1kX"']},
            }
        )
