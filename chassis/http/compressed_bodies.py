"""Inflates request bodies that were sent with ``Content-Encoding: gzip``, up to the size that any body may have."""

import zlib

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.http.errors import BodyTooLarge, MalformedRequest, ShopError, UnsupportedEncoding
from chassis.http.responses import error_response
from chassis.http.routing import MAX_BODY

GZIP = 16 + zlib.MAX_WBITS
"""The format that zlib is to expect."""
MAX_MEMBERS = 16
"""Each member copies what is left of the body: thousands of empty ones would take long."""


class CompressedBodies:
    """Gives routes the body as it was before it was compressed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        encodings = [value.strip().lower() for name, value in scope["headers"] if name == b"content-encoding"]
        if encodings in ([], [b"identity"]):
            return await self._app(scope, receive, send)
        try:
            if encodings not in ([b"gzip"], [b"x-gzip"]):
                raise UnsupportedEncoding
            body = _inflate(await _read(receive))
        except ShopError as error:
            return await error_response(Request(scope), error)(scope, receive, send)
        kept = [one for one in scope["headers"] if one[0] not in (b"content-encoding", b"content-length")]
        scope["headers"] = [*kept, (b"content-length", str(len(body)).encode())]
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_inflated() -> Message:
            return pending.pop() if pending else await receive()

        return await self._app(scope, receive_inflated, send)


async def _read(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise BodyTooLarge(limit=MAX_BODY)
        more = message["type"] == "http.request" and message.get("more_body", False)
    return body


def _inflate(body: bytes) -> bytes:
    """The content of all members (RFC 1952 §2.2); never more than the limit in memory."""
    content = b""
    for _ in range(MAX_MEMBERS):
        member = zlib.decompressobj(GZIP)
        try:
            content += member.decompress(body, MAX_BODY + 1 - len(content))
        except zlib.error:
            raise MalformedRequest("The body is not what gzip makes.") from None
        if len(content) > MAX_BODY:
            raise BodyTooLarge(limit=MAX_BODY)
        if not member.eof:
            raise MalformedRequest("The body is not what gzip makes.")
        body = member.unused_data
        if not body:
            return content
    raise MalformedRequest(f"The body has more than {MAX_MEMBERS} gzip members.")
