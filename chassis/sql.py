"""PostgreSQL: transactions, outbox, inbox and dead letters; and statements that take any number of rows.

Tables are described, and queries asked, with SQLAlchemy. The statements of a transaction go straight through
the driver: prepared, in binary, and in a pipeline, so that writes do not wait for each other's answers.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

import orjson
import sqlalchemy as sa
from psycopg import AsyncConnection as AsyncPsycopg
from psycopg import AsyncCursor
from psycopg import errors as pg
from psycopg.rows import namedtuple_row
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from chassis.database import Away, CommitUnknown, Conflict, DeadLetter, Deposed, Pending
from chassis.sql_snapshot import BEGIN, PostgresSnapshot
from chassis.unit import Rows
from schemas import Message

K = TypeVar("K")
V = TypeVar("V")

metadata = sa.MetaData()

_NUMBERS = count()
_DIALECT: sa.Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]

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

Row = Mapping[str, Any]


@dataclass
class Tx:
    """A transaction. What is wrong with a statement may only show with a later one, or at its end."""

    driver: AsyncPsycopg[Any]
    published: bool = False

    async def execute(self, statement: str, parameters: Mapping[str, Any]) -> AsyncCursor[Any]:
        """Send a statement; fetching from the cursor waits for its answer."""
        cursor = self.driver.cursor(row_factory=namedtuple_row)
        return await cursor.execute(statement, parameters, prepare=True)

    async def column(self, statement: str, parameters: Mapping[str, Any]) -> list[Any]:
        """The first column of the answer."""
        return [row[0] for row in await (await self.execute(statement, parameters)).fetchall()]


@dataclass(frozen=True)
class Write:
    """A statement that takes any number of rows, all of them in one parameter, which is JSON."""

    parameter: str
    text: str


def insert_rows(table: sa.Table, *columns: str) -> Write:
    """``INSERT … SELECT …``: any number of rows in one round trip, in their order."""
    parameter, rows = _rows(table, columns)
    names = ", ".join(f'"{name}"' for name in columns)
    return Write(parameter, f'INSERT INTO "{table.name}" ({names}) {rows} ORDER BY nth')


def update_rows(table: sa.Table, key: str, *columns: str) -> Write:
    """``UPDATE … FROM …``: set columns of the rows that ``key`` names."""
    parameter, rows = _rows(table, (key, *columns))
    sets = ", ".join(f'"{name}" = new."{name}"' for name in columns)
    where = f'"{table.name}"."{key}" = new."{key}"'
    return Write(parameter, f'UPDATE "{table.name}" SET {sets} FROM ({rows}) new WHERE {where}')


def upsert_rows(table: sa.Table, key: str, *columns: str, newer: str) -> Write:
    """``INSERT … ON CONFLICT DO UPDATE`` where the column ``newer`` grows: an older row changes nothing."""
    insert = insert_rows(table, key, *columns)
    sets = ", ".join(f'"{name}" = excluded."{name}"' for name in columns)
    newest = f'"{table.name}"."{newer}" < excluded."{newer}"'
    return Write(insert.parameter, f'{insert.text} ON CONFLICT ("{key}") DO UPDATE SET {sets} WHERE {newest}')


def select_rows(table: sa.Table, key: str, *, lock: bool = True) -> str:
    """``SELECT … WHERE key = ANY(…)``, locked in the order of the key so that nobody deadlocks."""
    # Columns by name: a prepared ``SELECT *`` fails when a migration adds one.
    names = ", ".join(f'"{column.name}"' for column in table.c)
    order = f' ORDER BY "{key}" FOR UPDATE' if lock else ""
    return f'SELECT {names} FROM "{table.name}" WHERE "{key}" = ANY(CAST(%(keys)b AS {_type(table, key)}[])){order}'


Load = tuple[Rows[K, V], str, Callable[[Any], tuple[K, V]]]
"""Rows, the ``select_rows`` statement for them, and what makes (key, value) of a row."""


async def hold(tx: Tx, *loads: Load[Any, Any]) -> None:
    """Load what is wanted, all kinds in one round trip; locks are taken in the order given."""
    sent = [
        (rows, read, await tx.execute(statement, {"keys": wanted}))
        for rows, statement, read in loads
        if (wanted := rows.wanted)
    ]
    for rows, read, cursor in sent:
        rows.hold(dict([read(row) for row in await cursor.fetchall()]))


async def write(tx: Tx, *writes: tuple[Write, Sequence[Row]]) -> None:
    """Write rows, all kinds in one statement; where there are none, nothing."""
    if wanted := [(write, rows) for write, rows in writes if rows]:
        parameters = {write.parameter: orjson.dumps(rows, default=_as_json).decode() for write, rows in wanted}
        await tx.execute(_together(*(write.text for write, _ in wanted)), parameters)


def columns(value: Any, names: Iterable[str]) -> Row:
    """A value whose fields are called as the columns, as a row. (``asdict`` would copy what is in the fields.)"""
    return {str(name): getattr(value, name) for name in names}


@cache
def _together(*statements: str) -> str:
    """Statements on different rows, as one."""
    *first, last = statements
    parts = ", ".join(f"w{nth} AS ({statement})" for nth, statement in enumerate(first))
    return f"WITH {parts} {last}" if parts else last


def _as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} cannot be stored")


def _type(table: sa.Table, column: str) -> str:
    return str(table.c[column].type.compile(dialect=_DIALECT))


def _rows(table: sa.Table, columns: Sequence[str]) -> tuple[str, str]:
    """The name of a parameter, and the rows in it as a subquery. One JSON costs less than an array a column."""
    parameter = f"rows{next(_NUMBERS)}"
    types = {name: _type(table, name) for name in columns}
    taken = ", ".join(f'"{name}" {"TEXT" if of_type == "BYTEA" else of_type}' for name, of_type in types.items())
    given = ", ".join(
        f'decode("{name}", \'base64\') AS "{name}"' if of_type == "BYTEA" else f'"{name}"'
        for name, of_type in types.items()
    )
    names = ", ".join(f'"{name}"' for name in columns)
    source = f"ROWS FROM (json_to_recordset(CAST(%({parameter})s AS json)) AS ({taken}))"
    return parameter, f"SELECT {given} FROM {source} WITH ORDINALITY AS r({names}, nth)"


_INSERT_OUTBOX = insert_rows(outbox, "event_id", "topic", "key", "headers", "value")
_BURY = insert_rows(
    dead_letters,
    *("event_id", "consumer_group", "state", "stream", "topic", "partition", "offset", "key"),
    *("headers", "value", "reason", "detail", "fingerprint"),
)
_ADMIT = (
    "INSERT INTO inbox (consumer_group, event_id)"
    " SELECT %(group)s, id FROM unnest(CAST(%(events)b AS uuid[])) AS e(id) ORDER BY id"
    " ON CONFLICT DO NOTHING RETURNING event_id"
)
_BLOCKED = (
    "SELECT DISTINCT stream FROM dead_letters WHERE consumer_group = %(group)s"
    " AND stream = ANY(CAST(%(streams)b AS text[]))"
)
_SUSPECTS = (
    "WITH known AS (SELECT event_id, starts FROM suspects WHERE consumer_group = %(group)s"
    "   AND event_id = ANY(%(events)b)),"
    " noted AS (INSERT INTO suspects SELECT %(group)s, id, 1 FROM unnest(CAST(%(events)b AS uuid[])) AS e(id)"
    "   ON CONFLICT DO NOTHING)"
    " SELECT event_id, starts FROM known"
)
_ACCUSE = "UPDATE suspects SET starts = starts + 1 WHERE consumer_group = %(group)s AND event_id = ANY(%(events)b)"
_ACQUIT = "DELETE FROM suspects WHERE consumer_group = %(group)s AND event_id = ANY(%(events)b)"
_UNPUBLISHED = "SELECT position, event_id, topic, key, headers, value FROM outbox ORDER BY position LIMIT %s"
_PUBLISHED = sa.text("DELETE FROM outbox WHERE position = ANY(:positions)")
# The lock is taken per database, and each service has its own: one number serves them all.
_LEAD = sa.text("SELECT pg_try_advisory_lock(736001)")
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
        try:
            with translated():
                async with self.engine.connect() as connection:
                    tx = Tx(await _driver(connection))
                    # The pool rolls back what is not committed.
                    async with tx.driver.pipeline():
                        yield tx
                    await self._commit(tx)
        except Away:
            # The connections that wait in the pool have most likely gone the same way.
            await self.engine.dispose()
            raise

    async def _commit(self, tx: Tx) -> None:
        try:
            await tx.driver.commit()
        except pg.Error as error:
            raise (CommitUnknown(str(error)) if _is_away(error) else error) from error
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
        await write(tx, (_INSERT_OUTBOX, rows))
        tx.published = True

    async def admit(self, tx: Tx, group: str, events: Collection[UUID]) -> set[UUID]:
        """Enter events in the inbox and return those that were not there yet."""
        # A transaction elsewhere that holds the same event makes this wait for its outcome.
        return set(await tx.column(_ADMIT, {"group": group, "events": list(events)}))

    async def blocked(self, tx: Tx, group: str, streams: Collection[str]) -> set[str]:
        """Those of the streams that have a dead letter."""
        return set(await tx.column(_BLOCKED, {"group": group, "streams": list(streams)}))

    async def bury(self, tx: Tx, letters: Sequence[DeadLetter]) -> None:
        """Keep dead letters, and publish a copy of each."""
        if not letters:
            return
        await write(tx, (_BURY, [letter.row() for letter in letters]))
        await self.publish(tx, [letter.copy() for letter in letters])

    async def suspects(self, tx: Tx, group: str, events: Collection[UUID]) -> Mapping[UUID, int]:
        """How often each event was in hand when the process died, where it was; note the others once."""
        found = await tx.execute(_SUSPECTS, {"group": group, "events": list(events)})
        return {row.event_id: row.starts for row in await found.fetchall()}

    async def accuse(self, tx: Tx, group: str, events: Collection[UUID]) -> None:
        """Count one more handling of suspects."""
        await tx.execute(_ACCUSE, {"group": group, "events": list(events)})

    async def acquit(self, tx: Tx, group: str, events: Collection[UUID]) -> None:
        """Forget suspects that were handled."""
        await tx.execute(_ACQUIT, {"group": group, "events": list(events)})

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


class PostgresOutbox:
    """The outbox in the hands of the one relay that leads."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def unpublished(self, limit: int) -> Sequence[Pending]:
        """The oldest rows, in insertion order; raise ``Deposed`` when no longer the leader."""
        if self._connection.invalidated:
            raise Deposed
        # Looked at many times a second, also when there is nothing to do: straight through the driver.
        driver = await _driver(self._connection)
        rows = await (await driver.execute(_UNPUBLISHED, (limit,), prepare=True)).fetchall()
        return [Pending(position, Message(*message)) for position, *message in rows]

    async def published(self, rows: Sequence[Pending]) -> None:
        """Delete rows that the broker has confirmed."""
        await self._connection.execute(_PUBLISHED, {"positions": [row.position for row in rows]})


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
            raise Away(str(cause)) from error
        if _is_conflict(cause):
            raise Conflict(str(cause)) from error
        raise


def _is_away(error: BaseException | None) -> bool:
    """Connection lost or refused (class 08, no code), server going down or too slow (57), out of resources (53)."""
    state = getattr(error, "sqlstate", None)
    if state is None:
        return isinstance(error, pg.OperationalError | pg.InterfaceError)
    return state[:2] in {"08", "53", "57"} or state == "25P03"


def _is_conflict(error: BaseException | None) -> bool:
    """Serialization failure or deadlock (class 40), lock not available, or a key just taken (23505)."""
    state = getattr(error, "sqlstate", None) or ""
    return state[:2] == "40" or state in {"55P03", "23505"}
