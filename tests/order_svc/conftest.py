"""What the tests of order_svc share: one database per module, in which every test looks at its own rows."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from order_svc.main import build
from order_svc.unit_of_work import OrderUnitOfWork
from tests.databases import committing
from tests.order_svc.apps import settings
from tests.order_svc.product_stub import ProductStub, open_product_stub
from tests.responses import checked_client


@pytest.fixture(scope="module")
async def commit(shared: Postgres) -> AsyncIterator[GroupCommit[OrderUnitOfWork]]:
    async with committing(shared, OrderUnitOfWork) as commit:
        yield commit


@pytest.fixture(scope="module")
async def product_stub() -> AsyncIterator[ProductStub]:
    async with open_product_stub() as stub:
        yield stub


@pytest.fixture(scope="module")
async def app(shared_url: str, product_stub: ProductStub) -> FastAPI:
    return build(settings(shared_url, product_stub.url))


@pytest.fixture(scope="module")
async def api(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with checked_client(app) as client:
        yield client
