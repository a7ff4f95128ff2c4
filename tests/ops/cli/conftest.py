"""The shop of these tests has an account with the role ops."""

import pytest
from uuid_utils.compat import uuid7

from customer_svc.passwords.hasher import PasswordHasher
from customer_svc.staff.commands import AppointStaff
from tests.ops.cli.program import EMAIL, PASSWORD
from tests.ops.world import World


@pytest.fixture(scope="module", name="world")
async def _world(world: World) -> World:
    password_hash = await PasswordHasher().hash(PASSWORD)
    await world.commits["customer_svc"](AppointStaff(uuid7(), EMAIL, "Ops", password_hash, "ops"))
    return world
