"""Both databases, one after the other, for whoever asks for ``database``."""

from typing import Any

import pytest

from chassis.database import Database
from chassis.mongo import Mongo
from chassis.sql import Postgres
from tests.chassis.tally import make_tables


@pytest.fixture(params=["postgres", "mongo"])
async def database(request: pytest.FixtureRequest, postgres: Postgres, mongo: Mongo) -> Database[Any]:
    chosen: Database[Any] = postgres if request.param == "postgres" else mongo
    await make_tables(chosen)
    return chosen
