"""Where every transaction of commands runs: load → execute → after_commands → save → publish → redact → commit.

After the commit, what was done is counted in metrics (``after_commit``).
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from chassis.persistence.command import Command
from chassis.persistence.database import TransactionalStore
from chassis.persistence.unit_of_work import UnitOfWork
from chassis.runtime import failpoints
from chassis.runtime.telemetry import BATCH_SECONDS, BATCH_SIZE, traced

U = TypeVar("U", bound=UnitOfWork)
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Submission(Generic[U, R]):
    """A command on its way into a transaction, with what its events are to say of their origin."""

    command: Command[U, R]
    cause: str | None = None
    """The id of the event that is handled."""
    trace: str | None = None
    """The W3C ``traceparent`` of the request or the event."""

    def execute(self, uow: U) -> R:
        """Execute the command; if it raises, none of its changes stay. What it logs carries its trace."""
        with traced(self.trace), uow.undone_on_error(self.cause, self.trace):
            return self.command.execute(uow)


@dataclass(frozen=True, slots=True)
class OpenTransaction(Generic[U]):
    """A transaction that has begun, and its unit of work."""

    tx: Any
    uow: U

    async def load(self, submissions: Iterable[Submission[U, Any]]) -> None:
        """Load and lock what the commands need, together with any statement that was issued before."""
        for submission in submissions:
            submission.command.prefetch(self.uow)
        await self.uow.load(self.tx)


class TransactionRunner(Generic[U]):
    """Runs transactions for requests (``feed`` "rest") or events ("kafka"); ``new_uow`` makes a unit of work.

    Fail points: ``<point>.commit.before`` and ``<point>.commit.after``.
    """

    def __init__(
        self, database: TransactionalStore[Any], new_uow: Callable[[datetime], U], *, feed: str, point: str
    ) -> None:
        self._database, self._new_uow = database, new_uow
        self._point = point
        # Looking labels up costs more than observing.
        self._size, self._seconds = BATCH_SIZE.labels(feed), BATCH_SECONDS.labels(feed)

    @asynccontextmanager
    async def transaction(self, size: int) -> AsyncIterator[OpenTransaction[U]]:
        """Load and execute in here; at the end everything is saved, its events published, and committed.

        ``size`` is the number of commands, for the metrics. Raise ``ConcurrentUpdate``, ``DatabaseUnavailable``,
        ``CommitOutcomeUnknown``.
        """
        self._size.observe(size)
        uow = self._new_uow(datetime.now(UTC))
        with self._seconds.time():
            async with self._database.transaction() as tx:
                yield OpenTransaction(tx, uow)
                uow.after_commands()
                await uow.save(tx)
                await self._database.outbox.add(tx, uow.outbox.added)
                await self._database.dead_letters.redact(tx, uow.redactions.added)
                if failpoints.armed:
                    await failpoints.reach(f"{self._point}.commit.before")
            uow.after_commit()
            if failpoints.armed:
                await failpoints.reach(f"{self._point}.commit.after")
