"""Connections to PostgreSQL, and what the driver's errors mean."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any
from weakref import WeakSet

import orjson
import sqlalchemy as sa
from psycopg import AsyncConnection as AsyncPsycopg
from psycopg import errors as pg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from chassis.persistence.errors import CommitOutcomeUnknown, ConcurrentUpdate, DatabaseUnavailable
from chassis.runtime.redaction import redacted
from chassis.runtime.telemetry import POOL_IN_USE

_engines: WeakSet[AsyncEngine] = WeakSet()

Reading = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
"""Opens a connection for reads: ``Postgres.reading``."""


def create_engine(url: str, pool_size: int, search_path: str | None = None) -> AsyncEngine:
    """A pool of connections to ``postgresql://user:password@host:port/database``.

    ``search_path`` is the one schema in which unqualified names are looked up; by default the role's.
    """
    parsed = sa.make_url(url).set(drivername="postgresql+psycopg")
    # A peer that vanished silently is noticed within seconds, not after the kernel's two hours; and
    # a process that was stopped inside a transaction does not keep its row locks from the others.
    options = "-c idle_in_transaction_session_timeout=10s -c statement_timeout=30s"
    if search_path is not None:
        options += f" -c search_path={search_path}"
    connect_args = {
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
        "options": options,
    }
    engine = create_async_engine(
        parsed,
        pool_size=pool_size,
        max_overflow=5,
        pool_timeout=10,
        connect_args=connect_args,
        json_deserializer=orjson.loads,
    )
    _engines.add(engine)
    return engine


def _connections_in_use() -> float:
    pools = [engine.sync_engine.pool for engine in _engines]
    return sum(pool.checkedout() for pool in pools if isinstance(pool, sa.QueuePool))


POOL_IN_USE.labels("postgres").set_function(_connections_in_use)


async def driver_connection(connection: AsyncConnection) -> AsyncPsycopg[Any]:
    """The psycopg connection under a SQLAlchemy one."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, AsyncPsycopg)
    return driver


@contextmanager
def translated() -> Iterator[None]:
    """Raise the driver's errors as ``ConcurrentUpdate`` and ``DatabaseUnavailable``; others are bugs, and pass."""
    try:
        yield
    except sa.exc.TimeoutError as error:
        raise DatabaseUnavailable("no free database connection") from error
    except (sa.exc.DBAPIError, pg.Error) as error:
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        if _is_unavailable(cause):
            raise DatabaseUnavailable(_reason(cause)) from error
        if _is_concurrent_update(cause):
            raise ConcurrentUpdate(_reason(cause)) from error
        raise


@contextmanager
def translated_commit() -> Iterator[None]:
    """Raise ``CommitOutcomeUnknown`` where the connection breaks during a commit."""
    try:
        yield
    except pg.Error as error:
        raise (CommitOutcomeUnknown(_reason(error)) if _is_unavailable(error) else error) from error


def _reason(error: BaseException | None) -> str:
    """The server's message without the rows that it quotes; a message about the connection as it is."""
    return redacted(error) if error and getattr(error, "sqlstate", None) else str(error)


def _is_unavailable(error: BaseException | None) -> bool:
    """Connection lost or refused (class 08, no code), server going down or too slow (57), out of resources (53)."""
    state = getattr(error, "sqlstate", None)
    if state is None:
        return isinstance(error, pg.OperationalError | pg.InterfaceError)
    return state[:2] in {"08", "53", "57"} or state == "25P03"


def _is_concurrent_update(error: BaseException | None) -> bool:
    """Serialization failure or deadlock (class 40), lock not available, a key just taken (23505).

    Also a prepared statement that does not exist any more, or exists already (26000, 42P05): the next try has another
    connection.
    """
    state = getattr(error, "sqlstate", None) or ""
    return state[:2] == "40" or state in {"55P03", "23505", "26000", "42P05"}
