"""The inbox and the attempts in PostgreSQL."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from chassis.messaging.dead_letters import BlockedStreams
from chassis.persistence.postgres.connection import Reading
from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction, Result, array

_DEDUPLICATE = (
    "INSERT INTO inbox (consumer_group, event_id)"
    " SELECT $1, id FROM unnest(CAST($2 AS uuid[])) AS e(id) ORDER BY id"
    " ON CONFLICT DO NOTHING RETURNING event_id"
)
# Locked, so that no letter is redriven between this statement and the commit: a letter that is being redriven now is
# waited for, and does not block if it was closed meanwhile.
_BLOCKED = (
    'SELECT stream, partition, "offset" FROM dead_letters'
    " WHERE consumer_group = $1 AND stream = ANY(CAST($2 AS text[]))"
    " AND state IN ('dead', 'parked') ORDER BY position FOR SHARE"
)
# Most are known where many are asked about: what is unknown is the shorter response.
_UNKNOWN = sa.text(
    "SELECT id FROM unnest(CAST(:ids AS uuid[])) AS e(id)"
    " WHERE NOT EXISTS (SELECT FROM inbox WHERE consumer_group = :group AND event_id = e.id)"
)
_RECORD = (
    "WITH known AS (SELECT event_id, starts FROM attempts WHERE consumer_group = $1"
    "   AND event_id = ANY(CAST($2 AS uuid[]))),"
    " recorded AS (INSERT INTO attempts SELECT $1, id, 1 FROM unnest(CAST($2 AS uuid[])) AS e(id)"
    "   ON CONFLICT DO NOTHING)"
    " SELECT event_id, starts FROM known"
)
_INCREMENT = (
    "UPDATE attempts SET starts = starts + 1 WHERE consumer_group = $1 AND event_id = ANY(CAST($2 AS uuid[]))"
)
_CLEAR = "DELETE FROM attempts WHERE consumer_group = $1 AND event_id = ANY(CAST($2 AS uuid[]))"


@dataclass(frozen=True, slots=True)
class PostgresDeduplication:
    """Events that are being entered in the inbox."""

    new: Result
    blocked: Result

    async def outcome(self) -> tuple[set[UUID], BlockedStreams]:
        """The events that were not in the inbox before, and the streams that have a dead letter."""
        places = [(one.stream, one.partition, one.offset) for one in await self.blocked.rows()]
        return set(await self.new.column()), BlockedStreams(places)


class PostgresInbox:
    """The inbox: a row for each event that a group has handled; ``reading`` opens a connection."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def deduplicate(
        self, tx: PipelinedTransaction, group: str, events: Collection[UUID], streams: Collection[str]
    ) -> PostgresDeduplication:
        """Enter events in the inbox. Statements issued before the outcome is awaited share its round trip."""
        # If another transaction is entering the same event, this waits for its outcome.
        return PostgresDeduplication(
            tx.execute(_DEDUPLICATE, group, array(events)), tx.execute(_BLOCKED, group, array(streams))
        )

    async def known(self, group: str, ids: Collection[UUID]) -> set[UUID]:
        """Which of these events are in the inbox, dead letters included. A read of its own, in no transaction."""
        async with self._reading() as connection:
            return set(ids).difference(await connection.scalars(_UNKNOWN, {"group": group, "ids": array(ids)}))


class PostgresAttempts:
    """How often an event was being handled when the process died."""

    async def record(self, tx: PipelinedTransaction, group: str, events: Collection[UUID]) -> Mapping[UUID, int]:
        """Record a first attempt for events that have none; return the earlier attempts of those that have."""
        found = tx.execute(_RECORD, group, array(events))
        return {row.event_id: row.starts for row in await found.rows()}

    async def increment(self, tx: PipelinedTransaction, group: str, events: Collection[UUID]) -> None:
        """Count one more attempt."""
        tx.execute(_INCREMENT, group, array(events))

    async def clear(self, tx: PipelinedTransaction, group: str, events: Collection[UUID]) -> None:
        """Remove the attempts of events that were handled."""
        tx.execute(_CLEAR, group, array(events))
