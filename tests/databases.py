"""Databases for tests: migrated once per run, then copied or emptied; and commits to them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

import psycopg
import sqlalchemy as sa
from psycopg import sql
from pymongo.asynchronous.collection import AsyncCollection

from chassis.persistence.database import Database
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.mongo.database import Mongo
from chassis.persistence.mongo.schema import create_collections
from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.migrate import migrate
from chassis.persistence.unit_of_work import UnitOfWork
from product_svc.migrations.__main__ import migrate as migrate_products

U = TypeVar("U", bound=UnitOfWork)
Connecting = Callable[[], AbstractAsyncContextManager[Mongo]]


class Databases:
    """Creates databases on the servers of this run, with the tables of today or those of other migrations."""

    def __init__(
        self,
        postgres: str,
        mongo: str,
        migrate: Callable[[str, str], None] = migrate,
        migrate_products: Callable[[str], Awaitable[None]] = migrate_products,
    ) -> None:
        self._postgres, self._mongo = postgres, mongo
        self._migrate, self._migrate_products = migrate, migrate_products
        self._templates: dict[str, str] = {}
        self._empty: dict[str, list[str]] = {}

    def postgres(self, service: str) -> str:
        """The URL of a fresh, migrated PostgreSQL database of a service."""
        if service not in self._templates:
            self._templates[service] = f"template_{service}_{uuid4().hex[:8]}"
            self._create(self._templates[service])
            self._migrate(self.url(self._templates[service]), service)
        name = f"{service}_{uuid4().hex[:12]}"
        self._create(name, template=self._templates[service])
        return self.url(name)

    @contextmanager
    def lent(self, service: str) -> Iterator[str]:
        """The URL of an empty PostgreSQL database of a service, to be used in this context only."""
        free = self._empty.setdefault(service, [])
        url = free.pop() if free else self.postgres(service)
        yield url
        _empty_postgres(url)
        free.append(url)

    @asynccontextmanager
    async def lent_mongo(self) -> AsyncIterator[str]:
        """The URL of an empty MongoDB database of product_svc, to be used in this context only."""
        free = self._empty.setdefault("product_svc", [])
        url = free.pop() if free else await self.mongo()
        yield url
        await _empty_mongo(url)
        free.append(url)

    async def mongo(self) -> str:
        """The URL of a fresh MongoDB database of product_svc."""
        base, _, options = self._mongo.partition("/?")
        url = f"{base}/product_svc_{uuid4().hex[:12]}?{options}"
        await self._migrate_products(url)
        return url

    def url(self, name: str) -> str:
        """The URL of a PostgreSQL database."""
        return f"{self._postgres.rpartition('/')[0]}/{name}"

    def _create(self, name: str, template: str = "template1") -> None:
        with psycopg.connect(self._postgres, autocommit=True) as connection:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))


def _empty_postgres(url: str) -> None:
    """Remove what was added since the migrations, which is much faster than a new database.

    DELETE is faster than TRUNCATE, which makes new files for every table and index.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute(_EMPTY)


_EMPTY = """
DO $$
DECLARE
    name text;
    names text := (
        SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    );
BEGIN
    -- A transaction whose process was terminated may still be committing.
    EXECUTE 'LOCK TABLE ' || names;
    FOREACH name IN ARRAY string_to_array(names, ', ') LOOP
        EXECUTE 'DELETE FROM ' || name;
    END LOOP;
    PERFORM setval(format('%I', sequencename), start_value, false) FROM pg_sequences
    WHERE schemaname = 'public' AND last_value IS NOT NULL;
END $$
"""


async def _empty_mongo(url: str) -> None:
    database = Mongo(url)
    names = set(await database.db.list_collection_names()) - {"schema_migrations"}
    await asyncio.gather(*(_empty(database.db[name]) for name in names))
    # The migrations have made the collections and indexes; a test may have dropped some.
    await create_collections(database.db)
    await database.close()


async def _empty(collection: AsyncCollection[Any]) -> None:
    """Remove all documents; most collections have none, which is seen faster than removed."""
    if await collection.find_one({}, {"_id": 1}):
        await collection.delete_many({})


@asynccontextmanager
async def committing(database: Database[Any], open_unit: Callable[[datetime], U]) -> AsyncIterator[GroupCommit[U]]:
    """A running group commit, as a process has one."""
    commit = GroupCommit(database, open_unit)
    running = asyncio.create_task(commit.run())
    try:
        yield commit
    finally:
        running.cancel()


async def drop_mongo(url: str) -> None:
    """Remove a MongoDB database."""
    database = Mongo(url)
    await database.client.drop_database(database.db.name)
    await database.close()


async def waits_for_a_lock(database: Postgres) -> bool:
    """Whether a transaction waits for an advisory lock."""
    query = (
        "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
        " WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"
    )
    async with database.reading() as connection:
        return bool(await connection.scalar(sa.text(query)))
