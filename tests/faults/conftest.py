"""One platform for all cells; each of them heals it."""

from collections.abc import AsyncIterator

import pytest

from tests.faults.world import World, world


@pytest.fixture(scope="module", name="world")
async def _world() -> AsyncIterator[World]:
    async with world() as running:
        yield running
