"""The REST fronts, and a shop with something in it: shared by the tests of what is said to clients."""

from collections.abc import AsyncIterator

import pytest

from tests.contracts.fronts import Fronts, fronts
from tests.contracts.shop import Belongings, Shop
from tests.databases import Databases, drop_mongo


@pytest.fixture(scope="package", name="fronts")
async def _fronts(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fronts]:
    mongo = await databases.mongo()
    with fronts(databases, mongo, tmp_path_factory.mktemp("fronts")) as running:
        yield running
    await drop_mongo(mongo)


@pytest.fixture(scope="package", name="shop")
async def _shop(fronts: Fronts) -> AsyncIterator[Shop]:
    shop = Shop(fronts)
    yield shop
    await shop.close()


@pytest.fixture(scope="package")
async def belongings(shop: Shop) -> Belongings:
    return await shop.furnish()
