"""The dead letters in PostgreSQL."""

import base64
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.messaging.dead_letters import (
    OPEN,
    REDACTED,
    BlockedStreams,
    DeadLetter,
    LetterFilter,
    LetterState,
    LetterStatus,
    StoredLetter,
)
from chassis.messaging.records import KafkaRecord
from chassis.persistence.postgres.connection import Reading
from chassis.persistence.postgres.outbox import PostgresOutbox
from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction, array
from chassis.persistence.postgres.rows import insert_rows, update_rows, write_rows
from chassis.persistence.postgres.shadows import erase_in_shadows
from chassis.persistence.postgres.tables import dead_letters

_INSERT = insert_rows(
    dead_letters,
    *("event_id", "consumer_group", "state", "stream", "topic", "partition", "offset", "key"),
    *("headers", "value", "reason", "detail", "fingerprint"),
)
_UPDATE = update_rows(
    dead_letters,
    "event_id",
    *("state", "reason", "detail", "fingerprint", "value", "original", "redrives"),
)
_STATES = sa.text(
    "SELECT event_id, state, at FROM dead_letters"
    " WHERE consumer_group = :group AND event_id = ANY(CAST(:ids AS uuid[]))"
)
# With the states as in the condition of the index `dead_letters_open`, so that closed letters cost nothing.
_COUNT_OPEN = sa.text(
    "SELECT topic, state, count(*) AS letters FROM dead_letters"
    " WHERE consumer_group = :group AND state IN ('dead', 'parked') GROUP BY topic, state"
)
_REDACT = (
    "UPDATE dead_letters SET value = NULL, original = NULL, detail = $2"
    " FROM unnest(CAST($1 AS text[])) AS mentioned(id)"
    " WHERE key = convert_to(id, 'UTF8') OR position(convert_to(id, 'UTF8') IN value) > 0"
    " OR position(convert_to(id, 'UTF8') IN original) > 0"
)
# A letter without a key is a stream of its own. The states are checked twice: the second time when the lock is there.
_STREAM = (
    "SELECT letter.{columns} FROM dead_letters letter JOIN ("
    ' SELECT one.position, one."offset", min(one.position) OVER (PARTITION BY one.partition) AS arrival'
    "   FROM dead_letters one JOIN dead_letters this ON this.event_id = CAST($1 AS uuid)"
    "   AND one.consumer_group = this.consumer_group"
    "   AND (one.stream = this.stream OR one.event_id = this.event_id)"
    "   WHERE this.state IN ('dead', 'parked') AND one.state IN ('dead', 'parked')"
    " ) place USING (position) WHERE letter.state IN ('dead', 'parked')"
    ' ORDER BY place.arrival, place."offset"'
)
_LOCK_HEAD = _STREAM.format(columns="position") + " LIMIT 1 FOR UPDATE OF letter"
_LOCK = _STREAM.format(columns="*") + " LIMIT CAST($2 AS integer) FOR UPDATE OF letter"


class PostgresDeadLetters:
    """The table ``dead_letters``; copies go through the ``outbox``, ``reading`` opens a connection."""

    def __init__(self, outbox: PostgresOutbox, reading: Reading) -> None:
        self._outbox, self._reading = outbox, reading

    async def add(self, tx: PipelinedTransaction, letters: Sequence[DeadLetter]) -> None:
        """Store dead letters, and put a copy of each in the outbox."""
        if not letters:
            return
        write_rows(tx, (_INSERT, [letter.row() for letter in letters]))
        await self._outbox.add(tx, [letter.copy() for letter in letters])

    async def redact(self, tx: PipelinedTransaction, ids: Collection[UUID]) -> None:
        """Remove the values and the detail of every dead letter that mentions one of these ids.

        Rebuilt replicas that wait to be swapped, or kept rows, are copies of customers as well: they go, too.
        """
        if ids:
            tx.execute(_REDACT, array(map(str, ids)), REDACTED)
            await erase_in_shadows(tx, ids)

    async def lock_stream(self, tx: PipelinedTransaction, event: UUID, limit: int) -> Sequence[StoredLetter]:
        """The first open letters of the stream of this event's letter, in order; none if that letter is closed."""
        # A consumer that parks behind the head has locked it (inbox.py). What it has parked by the time that the head
        # is locked here is seen only by a statement that begins after that.
        tx.execute(_LOCK_HEAD, str(event))
        return [_letter(row) for row in await tx.execute(_LOCK, str(event), str(limit)).rows()]

    async def update(self, tx: PipelinedTransaction, letters: Sequence[StoredLetter]) -> None:
        """Store what has changed in letters that are locked."""
        write_rows(tx, (_UPDATE, [_row(letter) for letter in letters]))

    async def get(self, event: UUID) -> StoredLetter | None:
        """The letter of an event."""
        async with self._reading() as connection:
            found = await connection.execute(sa.select(dead_letters).where(dead_letters.c.event_id == event))
            row = found.first()
            return _letter(row) if row else None

    async def find(self, wanted: LetterFilter, after: UUID | None, limit: int) -> Sequence[StoredLetter]:
        """Letters in the order of their event's ids, without headers and value."""
        columns = dead_letters.c
        query = (
            sa.select(dead_letters).where(columns.state.in_(wanted.states)).order_by(columns.event_id).limit(limit)
        )
        if after:
            query = query.where(columns.event_id > after)
        if wanted.key is not None:
            query = query.where(columns.key == wanted.key.encode())
        if wanted.fingerprint is not None:
            query = query.where(columns.fingerprint == wanted.fingerprint)
        if wanted.type is not None:
            header = ["ce_type", base64.b64encode(wanted.type.encode()).decode()]
            query = query.where(columns.headers.contains([header]))
        async with self._reading() as connection:
            return [_letter(row) for row in await connection.execute(query)]

    async def states(self, group: str, ids: Collection[UUID]) -> Mapping[UUID, LetterStatus]:
        """The dead letters among these events, and what became of them. A read of its own, in no transaction."""
        async with self._reading() as connection:
            found = await connection.execute(_STATES, {"group": group, "ids": array(ids)})
            return {row.event_id: LetterStatus(row.state, row.at) for row in found}

    async def blocked_streams(self, group: str) -> BlockedStreams:
        """The streams that have an open letter."""
        columns = dead_letters.c
        query = (
            sa.select(columns.stream, columns.partition, sa.func.min(columns.offset).label("first"))
            .where(columns.consumer_group == group, columns.state.in_(OPEN), columns.stream.is_not(None))
            .group_by(columns.stream, columns.partition)
        )
        async with self._reading() as connection:
            found = await connection.execute(query)
            return BlockedStreams((row.stream, row.partition, row.first) for row in found)

    async def count_open(self, group: str) -> Mapping[tuple[str, LetterState], int]:
        """How many open letters there are, by topic and state; nothing where there are none."""
        async with self._reading() as connection:
            found = await connection.execute(_COUNT_OPEN, {"group": group})
            return {(row.topic, row.state): row.letters for row in found}


def _letter(row: Any) -> StoredLetter:
    headers = tuple((name, base64.b64decode(value)) for name, value in row.headers)
    return StoredLetter(
        row.event_id,
        row.consumer_group,
        row.state,
        KafkaRecord(row.topic, row.partition, row.offset, row.key, headers, row.value),
        row.reason,
        row.detail,
        row.fingerprint,
        row.at,
        row.original,
        row.redrives,
    )


def _row(letter: StoredLetter) -> Mapping[str, Any]:
    return {
        "event_id": letter.event_id,
        "state": letter.state,
        "reason": letter.reason,
        "detail": letter.detail,
        "fingerprint": letter.fingerprint,
        "value": letter.record.value,
        "original": letter.original,
        "redrives": letter.redrives,
    }
