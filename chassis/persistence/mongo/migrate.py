"""Brings a MongoDB database up to date: numbered versions, each of which runs once, in order.

A version is a module of the service's ``migrations.versions`` (``m001_search_fields.py``) with a coroutine function
``upgrade(db)``. What ran is recorded in the collection ``schema_migrations``. Several processes may migrate at once:
the first one works and the others wait. A process can die between a version and its record, and then the version runs
again: it has to be idempotent.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import structlog
from pymongo.asynchronous.database import AsyncDatabase
from uuid_utils.compat import uuid7

from chassis.persistence.errors import ConcurrentUpdate
from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.lease import MongoLease
from chassis.persistence.mongo.transaction import Document

LEASE_SECONDS = 60
"""How long the others wait for a process that died while it migrated."""
POLL_SECONDS = 0.2
RECORDS = "schema_migrations"

log = structlog.get_logger()


@asynccontextmanager
async def one_at_a_time(db: AsyncDatabase[Document]) -> AsyncIterator[None]:
    """Wait until no other process migrates this database, then keep the others waiting."""
    lease, owner = MongoLease(db, "migrations", LEASE_SECONDS), str(uuid7())
    await _create(lease)
    while not await lease.hold(owner):
        await asyncio.sleep(POLL_SECONDS)
    renewing = asyncio.create_task(_renew(lease, owner))
    try:
        yield
    finally:
        renewing.cancel()
        await lease.release(owner)


async def run_versions(db: AsyncDatabase[Document], versions: ModuleType, again: str | None = None) -> None:
    """Run the versions of a package that did not run yet, and one ``again``, and record each."""
    with translated():
        done = {record["_id"] async for record in db[RECORDS].find({}, {"_id": 1})}
    chosen = version_names(versions) - done | ({again} if again else set())
    for name in sorted(chosen):
        with translated():
            await import_module(f"{versions.__name__}.{name}").upgrade(db)
            await db[RECORDS].replace_one({"_id": name}, {"at": datetime.now(UTC)}, upsert=True)
        log.info("migrated", version=name)


def version_names(versions: ModuleType) -> set[str]:
    """The names of all versions of a package."""
    return {found.name for found in iter_modules(versions.__path__)}


async def _create(lease: MongoLease) -> None:
    try:
        await lease.create()
    except ConcurrentUpdate:
        # Another process has created it just now.
        return


async def _renew(lease: MongoLease, owner: str) -> None:
    while await lease.hold(owner):
        await asyncio.sleep(LEASE_SECONDS / 3)
