"""The dead letters in PostgreSQL."""

from collections.abc import Collection, Sequence
from uuid import UUID

from chassis.messaging.dead_letters import REDACTED, DeadLetter
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


class PostgresDeadLetters:
    """The table ``dead_letters``; copies go through the ``outbox``."""

    def __init__(self, outbox: PostgresOutbox) -> None:
        self._outbox = outbox

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
