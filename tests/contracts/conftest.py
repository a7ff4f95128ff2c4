"""The REST APIs, and a shop with some data, shared by the tests in this folder."""

from collections.abc import AsyncIterator

import pytest

from chassis.http import remote_verifier
from tests.contracts.rest_apis import RestApis, rest_apis
from tests.contracts.shop import Belongings, Shop
from tests.databases import Databases, drop_mongo


@pytest.fixture(scope="package", name="apis")
async def _apis(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RestApis]:
    mongo = await databases.mongo()
    with pytest.MonkeyPatch.context() as patch:
        # What was revoked is read often, not every few seconds.
        patch.setattr(remote_verifier, "REFRESH_SECONDS", 1.0)
        with rest_apis(databases, mongo, tmp_path_factory.mktemp("apis")) as running:
            yield running
    await drop_mongo(mongo)


@pytest.fixture(scope="package", name="shop")
async def _shop(apis: RestApis) -> AsyncIterator[Shop]:
    shop = Shop(apis)
    yield shop
    await shop.close()


@pytest.fixture(scope="package")
async def belongings(shop: Shop) -> Belongings:
    return await shop.create_data()
