"""A service's PostgreSQL database: transactions, reads, and the parts that messaging needs of it.

Reads go through SQLAlchemy; the statements of a transaction through the driver (``pipelined_transaction.py``).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.messaging.outbox import OutboxBacklog
from chassis.persistence.postgres.connection import create_engine, driver_connection, translated, translated_commit
from chassis.persistence.postgres.dead_letters import PostgresDeadLetters
from chassis.persistence.postgres.inbox import PostgresAttempts, PostgresInbox
from chassis.persistence.postgres.jobs import PostgresJobs
from chassis.persistence.postgres.outbox import BACKLOG, PostgresLeadership, PostgresOutbox
from chassis.persistence.postgres.pipelined_transaction import STALE_STATEMENTS, PipelinedTransaction
from chassis.persistence.postgres.snapshot import BEGIN, PostgresSnapshot
from chassis.persistence.postgres.subscriptions import PostgresSubscriptions
from chassis.persistence.postgres.wake_ups import PostgresWakeUps


class Postgres:
    """A service's PostgreSQL database. ``url`` is ``postgresql://user:password@host:port/database``.

    With a ``search_path``, statements that do not qualify their tables reach those of this schema alone.
    """

    def __init__(self, url: str, *, pool_size: int = 5, search_path: str | None = None) -> None:
        self.engine = create_engine(url, pool_size, search_path)
        self.outbox = PostgresOutbox()
        self.inbox = PostgresInbox(self.reading)
        self.attempts = PostgresAttempts()
        self.subscriptions = PostgresSubscriptions(self.reading)
        self.dead_letters = PostgresDeadLetters(self.outbox, self.reading)
        self.jobs = PostgresJobs(self.reading)
        self.leadership = PostgresLeadership(self.reading)
        self.wake_ups = PostgresWakeUps(self.reading)
        self.committed = asyncio.Event()
        """Set when any transaction of this process has committed."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PipelinedTransaction]:
        """Commit at the end, roll back on an exception.

        Raise ``ConcurrentUpdate``, ``DatabaseUnavailable``, ``CommitOutcomeUnknown``.
        """
        with translated():
            async with self.engine.connect() as connection:
                driver = await driver_connection(connection)
                tx = PipelinedTransaction(driver, connection.info.setdefault("prepared", {}))
                try:
                    yield tx
                    await self._commit(tx)
                except Exception as error:
                    await tx.abandon()
                    if tx.lost:
                        # The connections that wait in the pool are most likely lost as well.
                        await self.engine.dispose()
                    elif isinstance(error, STALE_STATEMENTS):
                        # This one alone: the others know what is prepared on them.
                        await connection.invalidate()
                    raise
                except BaseException:
                    # Cancelled, most likely in the middle of a result: the connection could not be used after this.
                    await connection.invalidate()
                    raise

    async def _commit(self, tx: PipelinedTransaction) -> None:
        with translated_commit():
            await tx.commit()
        self.committed.set()
        if tx.has_messages:
            self.outbox.added.set()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reads: each statement sees what is committed when it starts."""
        with translated():
            async with self.engine.connect() as connection:
                yield await connection.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[PostgresSnapshot]:
        """Everything as of one moment, for reads that take long."""
        with translated():
            async with self.engine.connect() as connection:
                await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                await connection.execute(BEGIN)
                yield PostgresSnapshot(connection)

    async def outbox_backlog(self) -> OutboxBacklog:
        """Return what is not published yet; raise ``DatabaseUnavailable``."""
        async with self.reading() as connection:
            row = (await connection.execute(BACKLOG)).one()
            return OutboxBacklog(row.waiting, row.oldest_seconds)

    async def check(self) -> None:
        """Raise ``DatabaseUnavailable`` unless the database answers."""
        async with self.reading() as connection:
            await connection.execute(sa.text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()
