"""What the tests of order_svc share: one database a module, in which every test looks at its own rows."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from order_svc.main import build
from order_svc.settings import RestSettings
from order_svc.store import OrderBook
from tests.answers import watched
from tests.databases import committing
from tests.order_svc.shopfront import Shopfront, open_shopfront


@pytest.fixture(scope="module")
async def commit(shared: Postgres) -> AsyncIterator[GroupCommit[OrderBook]]:
    async with committing(shared, OrderBook) as commit:
        yield commit


@pytest.fixture(scope="module")
async def shopfront() -> AsyncIterator[Shopfront]:
    async with open_shopfront() as opened:
        yield opened


@pytest.fixture(scope="module")
async def app(shared_url: str, shopfront: Shopfront) -> FastAPI:
    return build(settings(shared_url, shopfront.url))


@pytest.fixture(scope="module")
async def api(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with watched(app) as client:
        yield client


def settings(postgres_url: str, product_url: str) -> RestSettings:
    told = {"postgres_url": postgres_url, "product_url": product_url}
    return RestSettings.model_validate(
        told | {"kafka_bootstrap_servers": "nobody:9092", "jwks_url": "http://127.0.0.1:9/jwks.json"}
    )
