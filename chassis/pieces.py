"""Answers that are too long for memory, sent piece by piece; one that breaks off is seen to be no whole one."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Self

import structlog
from fastapi import Response
from starlette.types import Receive, Scope, Send

from chassis.database import Away
from chassis.errors import Unavailable

log = structlog.get_logger()

SLOW_SECONDS = 30.0
"""A reader who takes nothing for so long is given up: a snapshot that stays open keeps the store from tidying up."""


class Pieces(Response):
    """Pieces from where something is held open, which is let go of when the reader goes away, hangs or has it all."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes, None], media_type: str) -> None:
        super().__init__()
        del self.headers["content-length"]
        # Not as the response's media_type, which would add a charset to text.
        self.headers["Content-Type"] = media_type
        self._first, self._rest = first, rest

    @classmethod
    async def beginning(cls, pieces: AsyncGenerator[bytes, None], media_type: str) -> Self:
        """The answer, once there is its first piece: what fails before that is still answered as a problem."""
        return cls(await anext(pieces), pieces, media_type)

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        gone = asyncio.create_task(_disconnected(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await _send(send, self._first)
            async for chunk in self._rest:
                # To somebody who has gone, sending succeeds.
                if gone.done():
                    return
                await _send(send, chunk)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (Away, Unavailable, TimeoutError) as error:
            # An answer that is left unfinished has its connection closed, by which the reader knows.
            log.warning("stream broke off", why=str(error)[:200] or "the reader takes nothing")
        finally:
            gone.cancel()
            await self._rest.aclose()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(send: Send, chunk: bytes) -> None:
    async with asyncio.timeout(SLOW_SECONDS):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
