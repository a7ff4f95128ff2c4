"""Trying again: pauses that grow, and one loop for whatever has to wait until its database is back."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import structlog

from chassis.http.errors import OutcomeUnknown, Unavailable
from chassis.persistence.errors import ConcurrentUpdate, DatabaseUnavailable

R = TypeVar("R")

log = structlog.get_logger()

FIRST_SECONDS, MOST_SECONDS = 0.1, 10.0


def backoff(first: float, most: float) -> Iterator[float]:
    """Endless pauses in seconds, each between half and all of a bound that doubles up to ``most``.

    Jittered, so that many waiters do not come back at once.
    Source: M. Brooker, *Exponential Backoff and Jitter*, AWS Architecture Blog, 2015 ("equal jitter").
    """
    bound = first
    while True:
        yield bound * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
        bound = min(bound * 2, most)


async def retry_until_available(
    work: Callable[[], Awaitable[R]],
    who: str,
    *,
    first: float = FIRST_SECONDS,
    most: float = MOST_SECONDS,
    also: tuple[type[Exception], ...] = (),
    on_retry: Callable[[BaseException], None] = lambda _error: None,
) -> R:
    """The result of ``work``, which is repeated while the database is unavailable, for as long as it takes.

    ``work`` has to be safe to repeat: after a commit whose outcome is unknown it runs again, too.
    ``who`` waits is logged; ``also`` are further errors that mean "not now"; pauses grow from ``first`` to ``most``
    seconds. Any other error is raised.
    """
    pauses = backoff(first, most)
    temporary: tuple[type[Exception], ...] = (DatabaseUnavailable, Unavailable, OutcomeUnknown, *also)
    while True:
        try:
            return await work()
        except temporary as error:
            on_retry(error)
            log.warning("waiting for the database", who=who, why=str(error)[:200])
            await asyncio.sleep(next(pauses))


async def retry_soon(work: Callable[[], Awaitable[R]], who: str) -> R:
    """``retry_until_available`` for transactions that compete with the live ones: conflicts are retried, too."""
    return await retry_until_available(work, who, first=0.005, most=1.0, also=(ConcurrentUpdate,))
