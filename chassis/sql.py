"""PostgreSQL: transactions, outbox, inbox and dead letters.

Queries are asked with SQLAlchemy; the statements of a transaction go through the driver (``sql_tx.py``).
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from psycopg import AsyncConnection as AsyncPsycopg
from psycopg import errors as pg
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from chassis.database import EMPTIED, Away, CommitUnknown, Conflict, DeadLetter, Deposed, Pending
from chassis.sql_locks import RELAY
from chassis.sql_rows import insert_rows, write
from chassis.sql_snapshot import BEGIN, PostgresSnapshot
from chassis.sql_tx import MISTAKEN, Answer, Tx, array
from chassis.telling import told
from schemas import Message

metadata = sa.MetaData()

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("event_id", sa.Uuid, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("headers", JSONB, nullable=False),
    sa.Column("value", BYTEA, nullable=False),
)

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("consumer_group", sa.Text, primary_key=True),
    sa.Column("event_id", sa.Uuid, primary_key=True),
)

dead_letters = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("event_id", sa.Uuid, nullable=False),
    sa.Column("consumer_group", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("stream", sa.Text),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("partition", sa.Integer, nullable=False),
    sa.Column("offset", sa.BigInteger, nullable=False),
    sa.Column("key", BYTEA),
    sa.Column("headers", JSONB, nullable=False),
    sa.Column("value", BYTEA),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Index("dead_letters_stream", "consumer_group", "stream"),
)

suspects = sa.Table(
    "suspects",
    metadata,
    sa.Column("consumer_group", sa.Text, primary_key=True),
    sa.Column("event_id", sa.Uuid, primary_key=True),
    sa.Column("starts", sa.Integer, nullable=False),
)

_INSERT_OUTBOX = insert_rows(outbox, "event_id", "topic", "key", "headers", "value")
_BURY = insert_rows(
    dead_letters,
    *("event_id", "consumer_group", "state", "stream", "topic", "partition", "offset", "key"),
    *("headers", "value", "reason", "detail", "fingerprint"),
)
_EMPTY = (
    "UPDATE dead_letters SET value = NULL, detail = $2 FROM unnest(CAST($1 AS text[])) AS named(id)"
    " WHERE key = convert_to(id, 'UTF8') OR position(convert_to(id, 'UTF8') IN value) > 0"
)
_ADMIT = (
    "INSERT INTO inbox (consumer_group, event_id)"
    " SELECT $1, id FROM unnest(CAST($2 AS uuid[])) AS e(id) ORDER BY id"
    " ON CONFLICT DO NOTHING RETURNING event_id"
)
_BLOCKED = "SELECT DISTINCT stream FROM dead_letters WHERE consumer_group = $1 AND stream = ANY(CAST($2 AS text[]))"
_SUSPECTS = (
    "WITH known AS (SELECT event_id, starts FROM suspects WHERE consumer_group = $1"
    "   AND event_id = ANY(CAST($2 AS uuid[]))),"
    " noted AS (INSERT INTO suspects SELECT $1, id, 1 FROM unnest(CAST($2 AS uuid[])) AS e(id)"
    "   ON CONFLICT DO NOTHING)"
    " SELECT event_id, starts FROM known"
)
_ACCUSE = "UPDATE suspects SET starts = starts + 1 WHERE consumer_group = $1 AND event_id = ANY(CAST($2 AS uuid[]))"
_ACQUIT = "DELETE FROM suspects WHERE consumer_group = $1 AND event_id = ANY(CAST($2 AS uuid[]))"
_UNPUBLISHED = "SELECT position, event_id, topic, key, headers, value FROM outbox ORDER BY position LIMIT %(limit)s"
_ADVANCE = (
    "WITH published AS (DELETE FROM outbox WHERE position = ANY(%(done)s))"
    " SELECT position, event_id, topic, key, headers, value FROM outbox WHERE position <> ALL(%(done)s)"
    " ORDER BY position LIMIT %(limit)s"
)
_LEAD = sa.text(f"SELECT pg_try_advisory_lock({RELAY})")
_END_SILENT = sa.text("SELECT set_config('idle_session_timeout', :milliseconds, false)")
LEADER_SILENT_SECONDS = 45.0
"""A relay that asks for nothing for so long has lost its lock: its process is stopped, or hangs.

It has to be longer than the relay ever waits for Kafka (relay.SEND_SECONDS).
"""


class Postgres:
    """A service's PostgreSQL database. ``url`` is ``postgresql://user:password@host:port/database``."""

    def __init__(self, url: str, *, pool_size: int = 5) -> None:
        self.published = asyncio.Event()
        self.committed = asyncio.Event()
        """Set when any transaction of this process has committed."""
        self.engine = _engine(url, pool_size)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """Commit at the end, roll back on an exception; raise ``Conflict``, ``Away``, ``CommitUnknown``."""
        with translated():
            async with self.engine.connect() as connection:
                tx = Tx(await _driver(connection), connection.info.setdefault("prepared", {}))
                try:
                    yield tx
                    await self._commit(tx)
                except Exception as error:
                    await tx.abandon()
                    if isinstance(error, MISTAKEN):
                        await connection.invalidate()
                    if tx.lost:
                        # The connections that wait in the pool have most likely gone the same way.
                        await self.engine.dispose()
                    raise
                except BaseException:
                    # Cancelled, most likely in the middle of an answer: nobody could use it after this.
                    await connection.invalidate()
                    raise

    async def _commit(self, tx: Tx) -> None:
        try:
            await tx.commit()
        except pg.Error as error:
            raise (CommitUnknown(_why(error)) if _is_away(error) else error) from error
        self.committed.set()
        if tx.published:
            self.published.set()

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

    async def check(self) -> None:
        """Raise ``Away`` unless the database answers."""
        async with self.reading() as connection:
            await connection.execute(sa.text("SELECT 1"))

    async def publish(self, tx: Tx, messages: Sequence[Message]) -> None:
        """Put messages in the outbox."""
        if not messages:
            return
        rows = [
            {"event_id": m.id, "topic": m.topic, "key": m.key, "headers": dict(m.headers), "value": m.value}
            for m in messages
        ]
        write(tx, (_INSERT_OUTBOX, rows))
        tx.published = True

    def admit(self, tx: Tx, group: str, events: Collection[UUID], streams: Collection[str]) -> "PostgresAdmission":
        """Enter events in the inbox. What is asked before the outcome travels with it."""
        # A transaction elsewhere that holds the same event makes this wait for its outcome.
        return PostgresAdmission(
            tx.execute(_ADMIT, group, array(events)), tx.execute(_BLOCKED, group, array(streams))
        )

    async def bury(self, tx: Tx, letters: Sequence[DeadLetter]) -> None:
        """Keep dead letters, and publish a copy of each."""
        if not letters:
            return
        write(tx, (_BURY, [letter.row() for letter in letters]))
        await self.publish(tx, [letter.copy() for letter in letters])

    async def empty(self, tx: Tx, named: Collection[UUID]) -> None:
        """Empty the dead letters that name any of these ids; that they were set aside, and why, stays."""
        if named:
            tx.execute(_EMPTY, array(named), EMPTIED)

    async def suspects(self, tx: Tx, group: str, events: Collection[UUID]) -> Mapping[UUID, int]:
        """How often each event was in hand when the process died, where it was; note the others once."""
        found = tx.execute(_SUSPECTS, group, array(events))
        return {row.event_id: row.starts for row in await found.rows()}

    async def accuse(self, tx: Tx, group: str, events: Collection[UUID]) -> None:
        """Count one more handling of suspects."""
        tx.execute(_ACCUSE, group, array(events))

    async def acquit(self, tx: Tx, group: str, events: Collection[UUID]) -> None:
        """Forget suspects that were handled."""
        tx.execute(_ACQUIT, group, array(events))

    @asynccontextmanager
    async def leading(self) -> AsyncIterator["PostgresOutbox"]:
        """Wait until this process is the one relay of the service, then read its outbox."""
        # Lock and reads share one connection: whoever loses the lock loses the outbox with it.
        async with self.reading() as connection:
            await connection.execute(_END_SILENT, {"milliseconds": str(int(LEADER_SILENT_SECONDS * 1000))})
            while not await connection.scalar(_LEAD):
                await asyncio.sleep(1.0)
            try:
                yield PostgresOutbox(connection)
            finally:
                # Back in the pool the connection would keep the lock.
                await connection.invalidate()

    async def close(self) -> None:
        """Let go of every connection."""
        await self.engine.dispose()


@dataclass(frozen=True, slots=True)
class PostgresAdmission:
    """Events on their way into the inbox."""

    fresh: Answer
    blocked: Answer

    async def outcome(self) -> tuple[set[UUID], set[str]]:
        """Those that were not there yet, and which streams have a dead letter."""
        return set(await self.fresh.column()), set(await self.blocked.column())


class PostgresOutbox:
    """The outbox in the hands of the one relay that leads."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def advance(self, done: Sequence[Pending], limit: int) -> Sequence[Pending]:
        """Delete rows that the broker has confirmed, and return the oldest of the others, in insertion order.

        Raise ``Deposed`` when no longer the leader.
        """
        if self._connection.invalidated:
            raise Deposed
        # Asked many times a second, also when there is nothing to do: straight through the driver.
        driver = await _driver(self._connection)
        statement = _ADVANCE if done else _UNPUBLISHED
        values = {"done": [row.position for row in done], "limit": limit}
        rows = await (await driver.execute(statement, values, prepare=True)).fetchall()
        return [Pending(position, Message(*message)) for position, *message in rows]


def _engine(url: str, pool_size: int) -> AsyncEngine:
    parsed = sa.make_url(url).set(drivername="postgresql+psycopg")
    # A peer that vanished without a word is noticed within seconds, not after the kernel's two hours; and
    # a process that was stopped inside a transaction does not keep its row locks from the others.
    connect_args = {
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
        "options": "-c idle_in_transaction_session_timeout=10s -c statement_timeout=30s",
    }
    return create_async_engine(
        parsed,
        pool_size=pool_size,
        max_overflow=5,
        pool_timeout=10,
        connect_args=connect_args,
        json_deserializer=orjson.loads,
    )


async def _driver(connection: AsyncConnection) -> AsyncPsycopg[Any]:
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, AsyncPsycopg)
    return driver


@contextmanager
def translated() -> Iterator[None]:
    """Raise the driver's errors as ``Conflict`` and ``Away``; others are bugs, and pass."""
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise Away("no free database connection") from error
    except (sa.exc.DBAPIError, pg.Error) as error:
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        if _is_away(cause):
            raise Away(_why(cause)) from error
        if _is_conflict(cause):
            raise Conflict(_why(cause)) from error
        raise


def _why(error: BaseException | None) -> str:
    """What the server said, without the rows that it quotes; what is said of the connection, as it is."""
    return told(error) if error and getattr(error, "sqlstate", None) else str(error)


def _is_away(error: BaseException | None) -> bool:
    """Connection lost or refused (class 08, no code), server going down or too slow (57), out of resources (53)."""
    state = getattr(error, "sqlstate", None)
    if state is None:
        return isinstance(error, pg.OperationalError | pg.InterfaceError)
    return state[:2] in {"08", "53", "57"} or state == "25P03"


def _is_conflict(error: BaseException | None) -> bool:
    """Serialization failure or deadlock (class 40), lock not available, a key just taken (23505).

    Also a prepared statement that is not there any more, or is already (26000, 42P05): the next try has another
    connection.
    """
    state = getattr(error, "sqlstate", None) or ""
    return state[:2] == "40" or state in {"55P03", "23505", "26000", "42P05"}
