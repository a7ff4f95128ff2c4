"""Keeps the gauges of what lies in a service's store: a counter forgets that with its process, and cannot go down.

Every event process of a service counts the same rows.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from chassis.messaging.dead_letters import LetterState
from chassis.persistence.database import Database
from chassis.runtime.periodic import run_periodically
from chassis.runtime.telemetry import DEAD_LETTERS_LYING, OUTBOX_OLDEST_SECONDS, OUTBOX_WAITING

SECONDS = 15.0
"""How old a gauge is, about; each look is a query or two, by an index."""

Refresh = Callable[[], Awaitable[None]]
"""Sets gauges; raises ``DatabaseUnavailable``."""


async def keep_gauges(refreshes: list[Refresh]) -> None:
    """Set gauges again and again, until cancelled. While the database is away, they stay as they were."""

    async def refresh_all() -> int:
        for refresh in refreshes:
            await refresh()
        return 0

    await run_periodically(refresh_all, "gauges", full=1, seconds=SECONDS)


class StoreGauges:
    """The gauges of one consumer group, and of its outbox."""

    def __init__(self, database: Database[Any], group: str) -> None:
        self._database, self._group = database, group
        self._known: set[tuple[str, LetterState]] = set()

    async def count_letters(self) -> None:
        """Count the dead letters that are open."""
        letters = await self._database.dead_letters.count_open(self._group)
        self._known |= letters.keys()
        for topic, state in self._known:
            DEAD_LETTERS_LYING.labels(self._group, topic, state).set(letters.get((topic, state), 0))

    async def measure_outbox(self) -> None:
        """Count the events in the outbox."""
        backlog = await self._database.outbox_backlog()
        OUTBOX_WAITING.set(backlog.waiting)
        OUTBOX_OLDEST_SECONDS.set(backlog.oldest_seconds)
