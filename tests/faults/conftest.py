"""One platform to be broken, shared by the cells: each leaves it whole."""

from collections.abc import AsyncIterator

import pytest

from tests.faults.world import World, world


@pytest.fixture(scope="module", name="world")
async def _world() -> AsyncIterator[World]:
    async with world() as running:
        yield running
