"""Both databases, one after the other, for the fixture ``database``."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from chassis.persistence.database import Database
from chassis.persistence.mongo.database import Mongo
from chassis.persistence.postgres.database import Postgres
from tests.chassis.tally import make_tables
from tests.databases import Databases


@pytest.fixture(params=["postgres", "mongo"])
async def database(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[Database[Any]]:
    chosen: Database[Any]
    async with AsyncExitStack() as ended:
        if request.param == "postgres":
            chosen = Postgres(ended.enter_context(databases.lent("order_svc")))
        else:
            chosen = Mongo(await ended.enter_async_context(databases.lent_mongo()))
        ended.push_async_callback(chosen.close)
        await make_tables(chosen)
        yield chosen
