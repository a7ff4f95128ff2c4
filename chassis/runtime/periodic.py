"""Work that is looked for again and again, beside the events: what is due, what has expired."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from chassis.runtime.retry import retry_until_available


async def run_periodically(work: Callable[[], Awaitable[int]], who: str, *, full: int, seconds: float) -> None:
    """Run ``work`` in rounds until cancelled; it returns how much it found.

    After a round that found less than ``full`` comes a rest of about ``seconds``; after a full one the next round
    follows at once. Without the database rounds are delayed, and the log says ``who`` waits.
    """
    while True:
        found = await retry_until_available(work, who)
        if found < full:
            await asyncio.sleep(seconds * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load
