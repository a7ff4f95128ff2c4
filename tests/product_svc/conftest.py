"""What the tests of product_svc share: one database a module, in which every test looks at its own documents."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.mongo.database import Mongo
from product_svc.main import build
from product_svc.unit_of_work import ProductUnitOfWork
from tests.databases import Connecting, Databases, committing
from tests.product_svc.apps import settings
from tests.responses import checked_client


@pytest.fixture(scope="module")
async def shared_url(databases: Databases) -> AsyncIterator[str]:
    async with databases.lent_mongo() as url:
        yield url


@pytest.fixture(scope="module")
async def shared(shared_url: str) -> AsyncIterator[Mongo]:
    database = Mongo(shared_url)
    yield database
    await database.close()


@pytest.fixture(scope="module")
async def commit(shared: Mongo) -> AsyncIterator[GroupCommit[ProductUnitOfWork]]:
    async with committing(shared, ProductUnitOfWork) as commit:
        yield commit


@pytest.fixture
def connecting(shared_url: str) -> Connecting:
    """``async with connecting() as mongo:`` is what another process has of the same database."""

    @asynccontextmanager
    async def connect() -> AsyncIterator[Mongo]:
        database = Mongo(shared_url)
        try:
            yield database
        finally:
            await database.close()

    return connect


@pytest.fixture(scope="module")
async def api(shared_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with checked_client(build(settings(shared_url))) as client:
        yield client
