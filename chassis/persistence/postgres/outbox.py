"""The outbox in PostgreSQL: added to by transactions, read by the one process that holds an advisory lock."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.messaging.outbox import MOST_COUNTED, PendingMessage
from chassis.persistence.errors import LeadershipLost
from chassis.persistence.postgres.connection import Reading, driver_connection
from chassis.persistence.postgres.locks import RELAY
from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction
from chassis.persistence.postgres.rows import insert_rows, write_rows
from chassis.persistence.postgres.tables import outbox
from schemas import Message

_INSERT = insert_rows(outbox, "event_id", "topic", "key", "headers", "value")
_UNPUBLISHED = "SELECT position, event_id, topic, key, headers, value FROM outbox ORDER BY position LIMIT %(limit)s"
_ADVANCE = (
    "WITH published AS (DELETE FROM outbox WHERE position = ANY(%(published)s))"
    " SELECT position, event_id, topic, key, headers, value FROM outbox WHERE position <> ALL(%(published)s)"
    " ORDER BY position LIMIT %(limit)s"
)
_LEAD = sa.text(f"SELECT pg_try_advisory_lock({RELAY})")
_LIMIT_SILENCE = sa.text("SELECT set_config('idle_session_timeout', :milliseconds, false)")
BACKLOG = sa.text(
    f"SELECT (SELECT count(*) FROM (SELECT FROM outbox LIMIT {MOST_COUNTED}) AS counted) AS waiting,"  # noqa: S608
    " coalesce((SELECT greatest(0, extract(epoch FROM now() - CAST(headers ->> 'ce_time' AS timestamptz)))"
    " FROM outbox ORDER BY position LIMIT 1), 0)::double precision AS oldest_seconds"
)
"""How much is not published yet, and since when."""
LEADER_SILENT_SECONDS = 45.0
"""A relay that sends no statement for so long loses its lock: its process is stopped, or hangs.

It has to be longer than the relay ever waits for Kafka (relay.SEND_SECONDS).
"""
CANDIDATE_SECONDS = 1.0
"""How often a process that is not the leader tries to become it."""


class PostgresOutbox:
    """The outbox as transactions write to it."""

    def __init__(self) -> None:
        self.added = asyncio.Event()

    async def add(self, tx: PipelinedTransaction, messages: Sequence[Message]) -> None:
        """Store messages, to be published after the commit, in this order."""
        if not messages:
            return
        rows = [
            {"event_id": m.id, "topic": m.topic, "key": m.key, "headers": dict(m.headers), "value": m.value}
            for m in messages
        ]
        write_rows(tx, (_INSERT, rows))
        tx.has_messages = True


class PostgresLeadership:
    """The relay's leadership, as an advisory lock; ``reading`` opens a connection."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    @asynccontextmanager
    async def lead(self) -> AsyncIterator["PostgresOutboxReader"]:
        """Wait until this process is the leader, then give it the outbox; give up leadership at the end."""
        # Lock and reads share one connection: a process that loses the lock loses the outbox with it.
        async with self._reading() as connection:
            await connection.execute(_LIMIT_SILENCE, {"milliseconds": str(int(LEADER_SILENT_SECONDS * 1000))})
            while not await connection.scalar(_LEAD):
                await asyncio.sleep(CANDIDATE_SECONDS)
            try:
                yield PostgresOutboxReader(connection)
            finally:
                # Back in the pool the connection would keep the lock.
                await connection.invalidate()


class PostgresOutboxReader:
    """The outbox as the relay reads it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def advance(self, published: Sequence[PendingMessage], limit: int) -> Sequence[PendingMessage]:
        """Delete messages that the broker has confirmed, and return the oldest of the rest, in insertion order.

        Raise ``LeadershipLost`` when this process is no longer the leader.
        """
        if self._connection.invalidated:
            raise LeadershipLost
        # Runs many times a second, also when there is nothing to do: straight through the driver.
        driver = await driver_connection(self._connection)
        statement = _ADVANCE if published else _UNPUBLISHED
        values = {"published": [row.position for row in published], "limit": limit}
        rows = await (await driver.execute(statement, values, prepare=True)).fetchall()
        return [PendingMessage(position, Message(*message)) for position, *message in rows]
