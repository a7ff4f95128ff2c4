"""Topics for the tests of the relay."""

from collections.abc import AsyncIterator

import pytest

from tests.servers import Servers
from tests.topics import topic


@pytest.fixture
async def prefix(servers: Servers) -> AsyncIterator[str]:
    async with topic(servers.kafka, "stock.events", 3) as made:
        yield made
