"""The dead letters in PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa

from chassis.messaging.dead_letters import REDACTED, DeadLetter, LetterStatus
from chassis.persistence.postgres.connection import Reading
from chassis.persistence.postgres.outbox import PostgresOutbox
from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction, array
from chassis.persistence.postgres.rows import insert_rows, write_rows
from chassis.persistence.postgres.tables import dead_letters

_INSERT = insert_rows(
    dead_letters,
    *("event_id", "consumer_group", "state", "stream", "topic", "partition", "offset", "key"),
    *("headers", "value", "reason", "detail", "fingerprint"),
)
_REDACT = (
    "UPDATE dead_letters SET value = NULL, detail = $2 FROM unnest(CAST($1 AS text[])) AS mentioned(id)"
    " WHERE key = convert_to(id, 'UTF8') OR position(convert_to(id, 'UTF8') IN value) > 0"
)
_STATES = sa.text(
    "SELECT event_id, state, at FROM dead_letters"
    " WHERE consumer_group = :group AND event_id = ANY(CAST(:ids AS uuid[])) ORDER BY position"
)


class PostgresDeadLetters:
    """The table ``dead_letters``; copies go through the ``outbox``, and ``reading`` opens a connection."""

    def __init__(self, outbox: PostgresOutbox, reading: Reading) -> None:
        self._outbox, self._reading = outbox, reading

    async def add(self, tx: PipelinedTransaction, letters: Sequence[DeadLetter]) -> None:
        """Store dead letters, and put a copy of each in the outbox."""
        if not letters:
            return
        write_rows(tx, (_INSERT, [letter.row() for letter in letters]))
        await self._outbox.add(tx, [letter.copy() for letter in letters])

    async def redact(self, tx: PipelinedTransaction, ids: Collection[UUID]) -> None:
        """Remove the value and the detail of every dead letter that mentions one of these ids."""
        if ids:
            tx.execute(_REDACT, array(ids), REDACTED)

    async def states(self, group: str, ids: Collection[UUID]) -> Mapping[UUID, LetterStatus]:
        """The dead letters among these events, and what became of them. A read of its own, in no transaction."""
        async with self._reading() as connection:
            found = await connection.execute(_STATES, {"group": group, "ids": list(ids)})
            return {row.event_id: LetterStatus(row.state, row.at) for row in found}
