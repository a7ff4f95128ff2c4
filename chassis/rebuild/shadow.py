"""The shadow of a replica: a schema with its tables, which the service's own handlers fill.

The connections to it look up tables in this schema alone, so that handlers cannot reach the live ones. The events
that handlers emit are dropped; dead letters are not theirs to redact.
"""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.jobs.domain import Job
from chassis.persistence.postgres.connection import translated
from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction
from chassis.persistence.postgres.tables import shadows
from chassis.rebuild.replica import Replica

LIVE = "public"
"""The schema of the live tables."""
OLD, NEW = "kept_old", "kept_new"
"""The rows that a swap has replaced, and those that it has written."""

OpenDatabase = Callable[[str], Postgres]
"""Opens the service's database with a search path."""


def schema_of(job_id: UUID) -> str:
    """The schema of a job."""
    return f"rebuild_{job_id.hex}"


class _Dropped:
    """Takes what handlers publish or redact, and forgets it."""

    async def add(self, _tx: Any, _items: Sequence[Any]) -> None:
        pass

    async def redact(self, _tx: Any, _ids: Collection[UUID]) -> None:
        pass


class Shadow:
    """A shadow as a database of handlers."""

    def __init__(self, job_id: UUID, replica: Replica[Any], database: Postgres) -> None:
        self.schema, self.replica = schema_of(job_id), replica
        self._database = database
        dropped: Any = _Dropped()
        self.outbox = self.dead_letters = dropped

    def transaction(self) -> AbstractAsyncContextManager[PipelinedTransaction]:
        """A transaction whose unqualified tables are those of the shadow."""
        return self._database.transaction()

    @asynccontextmanager
    async def on_live_tables(self, tx: PipelinedTransaction) -> AsyncIterator[None]:
        """For the bookkeeping of the job, which belongs into the same transaction."""
        tx.execute(f"SET LOCAL search_path = {LIVE}")
        yield
        tx.execute(f"SET LOCAL search_path = {self.schema}")


@asynccontextmanager
async def open_shadow(job: Job, replica: Replica[Any], open_database: OpenDatabase) -> AsyncIterator[Shadow]:
    """Connect to the shadow of a job, which need not exist yet."""
    database = open_database(schema_of(job.id))
    try:
        yield Shadow(job.id, replica, database)
    finally:
        await database.close()


async def make_shadow(database: Postgres, job_id: UUID, replica: Replica[Any]) -> None:
    """Make the shadow of a job, empty, in place of one that it has."""
    schema = schema_of(job_id)
    about = replica.stream if replica.erased else None
    registered = [
        {
            "job_id": job_id,
            "table_name": name,
            "schema_name": schema,
            "replica": replica.name,
            "customer_column": about,
        }
        for name in (replica.table.name, OLD, NEW)
    ]
    with translated():
        async with database.engine.begin() as connection:
            await _drop(connection, job_id, schema)
            await connection.execute(sa.text(f'CREATE SCHEMA "{schema}"'))
            for statement in _tables(schema, replica):
                await connection.execute(sa.text(statement))
            await connection.execute(sa.insert(shadows), registered)


async def shadow_exists(database: Postgres, job_id: UUID) -> bool:
    """Whether a job has a shadow."""
    async with database.reading() as connection:
        found = await connection.scalar(sa.select(shadows.c.job_id).where(shadows.c.job_id == job_id).limit(1))
    return found is not None


async def shadow_columns(database: Postgres, job_id: UUID, table: str) -> set[str]:
    """The columns of a table of a shadow: a migration since then may have changed the live one."""
    query = sa.text("SELECT column_name FROM information_schema.columns WHERE table_schema = :s AND table_name = :t")
    async with database.reading() as connection:
        return set(await connection.scalars(query, {"s": schema_of(job_id), "t": table}))


async def drop_shadow(database: Postgres, job_id: UUID) -> None:
    """Drop the shadow of a job, if it has one."""
    with translated():
        async with database.engine.begin() as connection:
            await connection.execute(sa.text("SET LOCAL lock_timeout = '5s'"))
            await _drop(connection, job_id, schema_of(job_id))


async def _drop(connection: Any, job_id: UUID, schema: str) -> None:
    # The rows first: an erasure that has locked them is waited for, and one that comes later does not see them.
    await connection.execute(sa.delete(shadows).where(shadows.c.job_id == job_id))
    await connection.execute(sa.text(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'))


def _tables(schema: str, replica: Replica[Any]) -> list[str]:
    like = [(table.name, table.name) for table in (replica.table, *replica.touched)]
    like += [(name, replica.table.name) for name in (OLD, NEW)]
    return [
        *(f'CREATE TABLE "{schema}"."{name}" (LIKE {LIVE}."{of}" INCLUDING ALL)' for name, of in like),
        f'CREATE TABLE "{schema}".difference (kind text NOT NULL, key {replica.key_type} PRIMARY KEY,'
        " columns text[] NOT NULL, live_stream text, rebuilt_stream text)",
        f'CREATE TABLE "{schema}".left_out (stream text PRIMARY KEY)',
    ]
