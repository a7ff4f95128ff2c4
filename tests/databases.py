"""Databases of their own for whoever asks: migrated once a run, then copied; and commits to them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

import psycopg
from psycopg import sql

from chassis.database import Database
from chassis.groupcommit import GroupCommit
from chassis.migrate import migrate
from chassis.mongo import Mongo
from chassis.unit import Unit
from product_svc.migrations.__main__ import migrate as migrate_products

U = TypeVar("U", bound=Unit)


class Databases:
    """Makes databases on the servers of this run."""

    def __init__(self, postgres: str, mongo: str) -> None:
        self._postgres, self._mongo = postgres, mongo
        self._templates: dict[str, str] = {}

    def postgres(self, service: str) -> str:
        """The URL of a fresh, migrated PostgreSQL database of a service."""
        if service not in self._templates:
            self._templates[service] = f"template_{service}_{uuid4().hex[:8]}"
            self._create(self._templates[service])
            migrate(self.url(self._templates[service]), service)
        name = f"{service}_{uuid4().hex[:12]}"
        self._create(name, template=self._templates[service])
        return self.url(name)

    async def mongo(self) -> str:
        """The URL of a fresh MongoDB database of product_svc."""
        base, _, options = self._mongo.partition("/?")
        url = f"{base}/product_svc_{uuid4().hex[:12]}?{options}"
        await migrate_products(url)
        return url

    def url(self, name: str) -> str:
        """The URL of a PostgreSQL database."""
        return f"{self._postgres.rpartition('/')[0]}/{name}"

    def _create(self, name: str, template: str = "template1") -> None:
        with psycopg.connect(self._postgres, autocommit=True) as connection:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))


@asynccontextmanager
async def committing(database: Database[Any], open_unit: Callable[[datetime], U]) -> AsyncIterator[GroupCommit[U]]:
    """A group commit at work, as a process has one."""
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
