"""Keeps a gauge of the dead letters that lie in a service's store: a counter forgets them with its process."""

from typing import Any

from chassis.messaging.dead_letters import LetterState
from chassis.persistence.database import TransactionalStore
from chassis.runtime.periodic import run_periodically
from chassis.runtime.telemetry import DEAD_LETTERS_LYING

SECONDS = 15.0
"""How old the gauge is, about; each look is one query, by an index."""


class LetterGauge:
    """The gauge of one consumer group. While the database is away, it stays as it was."""

    def __init__(self, database: TransactionalStore[Any], group: str) -> None:
        self._database, self._group = database, group
        self._known: set[tuple[str, LetterState]] = set()

    async def run(self) -> None:
        """Count the letters again and again, until cancelled."""
        await run_periodically(self.refresh, "dead letters", full=1, seconds=SECONDS)

    async def refresh(self) -> int:
        """Count the letters now; raise ``DatabaseUnavailable``. Returns 0: there is nothing to be done at once."""
        letters = await self._database.dead_letters.count_open(self._group)
        self._known |= letters.keys()
        for topic, state in self._known:
            DEAD_LETTERS_LYING.labels(self._group, topic, state).set(letters.get((topic, state), 0))
        return 0
