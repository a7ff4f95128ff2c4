"""Work that is looked for again and again, beside the events: what is due, what is old."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from chassis.http.errors import Unavailable
from chassis.persistence.errors import DatabaseUnavailable

log = structlog.get_logger()


async def again_and_again(work: Callable[[], Awaitable[int]], what: str, *, full: int, seconds: float) -> None:
    """Work in rounds until cancelled, each of which returns how much it found.

    After a round with less than ``full`` there is a rest of about so many seconds. Without the database rounds are
    put off; the log says ``what`` waits for it.
    """
    while True:
        try:
            found = await work()
        except (DatabaseUnavailable, Unavailable) as error:
            log.warning(f"{what} wait for the database", why=str(error)[:200])
            found = 0
        if found < full:
            await asyncio.sleep(seconds * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load
