"""How fast a replay goes: a rate that ops set, and less while the live consumer falls behind."""

import asyncio
import time
from collections.abc import Collection

from chassis.messaging.topic_reader import TopicReader

STEP_SECONDS = 0.25
"""A batch is at most what the rate allows in this time, so that a pause or another rate takes hold soon."""
LOOK_SECONDS = 2.0
"""How often the lag of the live consumer is read."""
NOTICEABLE = 200
"""A lag that is smaller than this is no reason to yield."""


class Pace:
    """Keeps a rate in events per second; 0 is no limit."""

    def __init__(self) -> None:
        self._next_at = time.monotonic()

    def batch(self, rate: float, most: int) -> int:
        """How many events the next batch may have."""
        return max(1, min(most, int(rate * STEP_SECONDS))) if rate else most

    async def rest(self, count: int, rate: float) -> None:
        """Wait until the next batch is due, after one of ``count`` events."""
        now = time.monotonic()
        if not rate:
            await asyncio.sleep(0)
            self._next_at = now
            return
        # What was lost to a slow batch is made up for within a second, and not later in a burst.
        self._next_at = max(self._next_at, now - 1.0) + count / rate
        await asyncio.sleep(max(0.0, self._next_at - now))


class LiveLag:
    """Whether the live consumer of a group falls behind."""

    def __init__(self, reader: TopicReader, group: str, topics: Collection[str]) -> None:
        self._reader, self._group, self._topics = reader, group, topics
        self._looked_at, self._lag = time.monotonic(), 0

    async def grows(self) -> bool:
        """Whether the lag is noticeable and larger than when it was read last."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS and self._lag < NOTICEABLE:
            return False
        before, self._lag = self._lag, await self._read()
        self._looked_at = now
        return self._lag >= NOTICEABLE and self._lag > before

    async def _read(self) -> int:
        committed = await self._reader.committed(self._group)
        existing = await self._reader.existing(self._topics)
        return sum(max(0, span.end - committed.get(place, span.first)) for place, span in existing.items())
