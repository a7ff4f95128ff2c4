"""One shop for all tests of a module, each of which uses data of its own."""

from collections.abc import AsyncIterator

import pytest

from tests.databases import Databases
from tests.ops.world import World, world
from tests.servers import Servers


@pytest.fixture(scope="module", name="world")
async def _world(
    servers: Servers, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    async with world(servers, databases, tmp_path_factory.mktemp("world")) as made:
        yield made
