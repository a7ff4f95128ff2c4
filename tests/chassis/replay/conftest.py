"""The world of a replay, on both databases."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from chassis.persistence.database import Database
from tests.chassis.replay.world import World
from tests.chassis.replay.world import world as open_world
from tests.servers import Servers


@pytest.fixture
async def world(database: Database[Any], servers: Servers) -> AsyncIterator[World]:
    async with open_world(database, servers.kafka) as opened:
        yield opened
