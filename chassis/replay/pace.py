"""How fast a replay goes: at a rate that ops set, and gently while the live consumer has something to do."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import TypeVar

import structlog

from chassis.messaging.topic_reader import TopicReader

log = structlog.get_logger()

R = TypeVar("R")

STEP_SECONDS = 0.25
"""A batch is at most what the rate allows in this time, so that a pause or another rate takes hold soon."""
LOOK_SECONDS = 2.0
"""How often the live consumer is looked at."""
SECOND_LOOK_SECONDS = 0.5
"""How soon after the first, which only knows what was published just before."""
RECENT_SECONDS = 1.0
NOTICEABLE = 200
"""A lag that is smaller than this is no reason to wait."""
WAIT_SECONDS = 1.0
"""How long a job waits between two looks at its lease and state: a pause has to take hold within a second."""
REST_TIMES, REST_TIMES_AFTER_EVENTS = 9.0, 19.0
"""While events arrive, a job rests so many times as long as it has worked: after looking at records, and after
bringing events, which live events feel more."""
MOST_REST_SECONDS = 0.5
"""However long the work took: a process may have been stopped, or its database away. A pause has to take
hold within a second."""
GENTLE_BATCH = 10
"""While events arrive, at most so many are brought at a time: each mail goes through several transactions, and may
have to wait for a batch before each."""
SMALLEST_SLICE, LARGEST_SLICE = 25, 1000
"""Records that are looked at at a time."""
SLICE_SECONDS, BUSY_SECONDS = 0.05, 0.01
"""How long that may take: where nothing else happens, and while events arrive."""


class LiveConsumer:
    """What the live consumer of a group has to do beside a job."""

    def __init__(self, reader: TopicReader, group: str, topics: Collection[str]) -> None:
        self._reader, self._group, self._topics = reader, group, topics
        self._look_at = 0.0
        self._published: int | None = None
        self._lag = 0
        self.busy = False
        """Whether events arrive."""

    @classmethod
    async def watch(cls, reader: TopicReader, group: str, topics: Collection[str]) -> "LiveConsumer":
        """One that knows at once whether events arrive: a job that began at full speed would delay them."""
        live = cls(reader, group, topics)
        await live._look()
        return live

    async def falls_behind(self) -> bool:
        """Whether its lag is noticeable and larger than when it was read last."""
        if time.monotonic() < self._look_at and self._lag < NOTICEABLE:
            return False
        before = self._lag
        await self._look()
        return self._lag >= NOTICEABLE and self._lag > before

    async def _look(self) -> None:
        committed = await self._reader.committed(self._group)
        existing = await self._reader.existing(self._topics)
        published = sum(span.end for span in existing.values())
        if self._published is None:
            recent = await self._reader.offsets_at(existing, int((time.time() - RECENT_SECONDS) * 1000))
            self.busy = any(offset is not None for offset in recent.values())
        else:
            self.busy = published > self._published
        self._look_at = time.monotonic() + (SECOND_LOOK_SECONDS if self._published is None else LOOK_SECONDS)
        self._published = published
        self._lag = sum(max(0, span.end - committed.get(place, span.first)) for place, span in existing.items())


class Pace:
    """Keeps a rate in events per second, where 0 is no limit; makes room for the live consumer."""

    def __init__(self, live: LiveConsumer) -> None:
        self._live = live
        self._next_at = self._resumed_at = time.monotonic()
        self._slice, self._rested = SMALLEST_SLICE, 0.0

    def batch(self, rate: float, most: int) -> int:
        """How many events the next batch may have."""
        if self._live.busy:
            most = min(most, GENTLE_BATCH)
        return max(1, min(most, int(rate * STEP_SECONDS))) if rate else most

    def slices(self, records: list[R]) -> Iterator[list[R]]:
        """What was read, in parts that hold up nothing else in this process for long.

        Each is as large as the time that the one before took allows.
        """
        while records:
            began = time.monotonic()
            part, records = records[: self._slice], records[self._slice :]
            yield part
            took, most = time.monotonic() - began - self._rested, BUSY_SECONDS if self._live.busy else SLICE_SECONDS
            self._rested = 0.0
            if took > most:
                self._slice = max(SMALLEST_SLICE, self._slice // 2)
            elif took < most / 3:
                self._slice = min(LARGEST_SLICE, self._slice * 2)

    async def rest(self, keep_lease: Callable[[], Awaitable[object]], count: int = 0, rate: float = 0) -> None:
        """Wait until the next batch is due, after one of ``count`` events, and until live events are handled."""
        now = time.monotonic()
        # What was lost to a slow batch is made up for within a second, and not later in a burst.
        self._next_at = max(self._next_at, now - 1.0) + count / rate if rate else now
        times = REST_TIMES_AFTER_EVENTS if count else REST_TIMES
        gently = min((now - self._resumed_at) * times, MOST_REST_SECONDS) if self._live.busy else 0.0
        due = max(now + gently, self._next_at)
        while (left := due - time.monotonic()) > WAIT_SECONDS:
            await asyncio.sleep(WAIT_SECONDS)
            await keep_lease()
        await asyncio.sleep(max(0.0, left))
        while await self._live.falls_behind():
            log.info("job yields to live events")
            await asyncio.sleep(WAIT_SECONDS)
            await keep_lease()
        self._resumed_at = time.monotonic()
        self._rested += self._resumed_at - now
