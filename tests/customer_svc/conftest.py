"""What the tests of customer_svc share: one database a module, in which every test looks at its own accounts."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chassis.groupcommit import GroupCommit
from chassis.sql import Postgres
from customer_svc.store import Accounts
from tests.databases import Databases
from tests.schemas.processes import environment

__all__ = ["environment"]


@pytest.fixture(scope="module")
def shared_url(databases: Databases) -> str:
    return databases.postgres("customer_svc")


@pytest.fixture(scope="module")
async def shared(shared_url: str) -> AsyncIterator[Postgres]:
    database = Postgres(shared_url)
    yield database
    await database.close()


@pytest.fixture(scope="module")
async def commit(shared: Postgres) -> AsyncIterator[GroupCommit[Accounts]]:
    commit = GroupCommit(shared, Accounts)
    running = asyncio.create_task(commit.run())
    yield commit
    running.cancel()
