"""Lets a few callers at once do what costs much; some wait for their turn, and the others are turned away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Gate:
    """``at_once`` callers are inside, ``waiting`` others wait, for ``seconds`` at most; ``refusal`` makes the error.

    Without it, requests that are cheap to send and costly to answer share the database among them all, and none ends
    in time.
    """

    def __init__(self, at_once: int, waiting: int, seconds: float, refusal: Callable[[], Exception]) -> None:
        self._inside = asyncio.Semaphore(at_once)
        self._most, self._seconds, self._refusal = waiting, seconds, refusal
        self._waiting = 0

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[None]:
        """Do in here what costs much; raise the refusal if that is not possible soon."""
        if self._inside.locked():
            await self._wait()
        else:
            await self._inside.acquire()
        try:
            yield
        finally:
            self._inside.release()

    async def _wait(self) -> None:
        if self._waiting >= self._most:
            raise self._refusal()
        self._waiting += 1
        try:
            async with asyncio.timeout(self._seconds):
                await self._inside.acquire()
        except TimeoutError:
            raise self._refusal() from None
        finally:
            self._waiting -= 1
