"""Work beside a block of code, which ends with the block."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

PATIENCE_SECONDS = 8.0
"""A task that has not ended by then is cancelled once more; longer than any needs to finish its current work."""
BACKGROUND_PATIENCE_SECONDS = 0.5
"""The same for work that has nothing to finish."""


@asynccontextmanager
async def in_background(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[asyncio.Task[None]]:
    """Run ``work``, which may be left at any moment, until the block ends, however it ends."""
    task = asyncio.create_task(work, name=name)
    try:
        yield task
    finally:
        await ended(task, BACKGROUND_PATIENCE_SECONDS)


async def ended(task: asyncio.Task[Any], patience: float = PATIENCE_SECONDS) -> None:
    """Cancel a task until it has ended, whatever it ends with; every ``patience`` seconds."""
    while not task.done():
        task.cancel()
        # Libraries that wait with wait_for lose a cancellation at times, before Python 3.12.
        await asyncio.wait([task], timeout=patience)
    await asyncio.gather(task, return_exceptions=True)
