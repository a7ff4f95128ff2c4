"""Responses that are too long for memory, sent chunk by chunk; a reader can tell one that was cut off."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Self

import structlog
from fastapi import Response
from starlette.types import Receive, Scope, Send

from chassis.http.errors import Unavailable
from chassis.persistence.errors import DatabaseUnavailable

log = structlog.get_logger()

SLOW_SECONDS = 30.0
"""A reader that takes nothing for so long is disconnected: an open snapshot keeps the database from cleaning up."""


class StreamingBody(Response):
    """Chunks from a generator that holds a resource; it is closed when the reader leaves, hangs or has everything."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes, None], media_type: str) -> None:
        super().__init__()
        del self.headers["content-length"]
        # Not as the response's media_type, which would add a charset to text.
        self.headers["Content-Type"] = media_type
        self._first, self._rest = first, rest

    @classmethod
    async def starting(cls, chunks: AsyncGenerator[bytes, None], media_type: str) -> Self:
        """The response, once its first chunk exists: an error before that still becomes a problem response."""
        return cls(await anext(chunks), chunks, media_type)

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        disconnected = asyncio.create_task(_disconnected(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await _send(send, self._first)
            async for chunk in self._rest:
                # Sending to a closed connection succeeds.
                if disconnected.done():
                    return
                await _send(send, chunk)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (DatabaseUnavailable, Unavailable, TimeoutError) as error:
            # The connection of an unfinished response is closed, which tells the reader.
            log.warning("stream cut off", why=str(error)[:200] or "the reader takes nothing")
        finally:
            disconnected.cancel()
            await self._rest.aclose()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, chunk: bytes) -> None:
    async with asyncio.timeout(SLOW_SECONDS):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
