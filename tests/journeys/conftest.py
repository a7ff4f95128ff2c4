"""A running platform that the journeys share; each has customers and products of its own."""

from collections.abc import AsyncIterator

import pytest

from tests.databases import Databases
from tests.fork_server import fork_server
from tests.servers import Servers
from tests.stack import Stack, stack


@pytest.fixture(scope="package")
async def shop(
    servers: Servers, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    home, settings = tmp_path_factory.mktemp("shop"), {"MAIL_LEASE_SECONDS": "10"}
    async with stack(servers, databases, home, settings, spawn=fork_server().spawn) as running:
        yield running
