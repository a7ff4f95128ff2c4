"""The four REST APIs in this process, and two customers with data in every service: shared by the tests here."""

from collections.abc import AsyncIterator

import pytest

from chassis.http import remote_verifier
from customer_svc.tokens import verifier
from tests.contracts.rest_apis import RestApis, rest_apis
from tests.contracts.shop import Belongings, Shop
from tests.databases import Databases, drop_mongo


@pytest.fixture(scope="package")
async def apis(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RestApis]:
    with pytest.MonkeyPatch.context() as patch:
        # What was revoked is read often, not every few seconds.
        patch.setattr(remote_verifier, "REFRESH_SECONDS", 0.5)
        patch.setattr(verifier, "CACHE_SECONDS", 0.0)
        mongo = await databases.mongo()
        with rest_apis(databases, mongo, tmp_path_factory.mktemp("apis")) as running:
            yield running
        await drop_mongo(mongo)


@pytest.fixture(scope="package")
async def rest(apis: RestApis) -> AsyncIterator[Shop]:
    """A client of the REST APIs."""
    made = Shop(apis)
    yield made
    await made.close()


@pytest.fixture(scope="package")
async def owner(rest: Shop) -> Belongings:
    """A customer, whom no test here deactivates."""
    return await rest.create_data()


@pytest.fixture(scope="package")
async def stranger(rest: Shop) -> Belongings:
    """Another customer, who has the same kinds of things."""
    return await rest.create_data()
