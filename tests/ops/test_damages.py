"""The audit names each kind of damage, and nothing else for it."""

import pytest

from ops.audit.checks import CHECKS
from tests.ops.damages import DAMAGES, Damage
from tests.ops.world import World


@pytest.mark.parametrize(("check", "damage"), DAMAGES, ids=[damage.__name__ for _, damage in DAMAGES])
async def test_a_damage_is_named(world: World, check: str, damage: Damage) -> None:
    subject = await damage(world)
    assert await world.news() == {(check, subject)}


async def test_what_waits_in_an_outbox_is_named_until_it_is_out(world: World) -> None:
    await world.registered()
    assert await world.news() == {("outbox_waiting", "customer")}
    await world.flow()
    assert not [one for one in (await world.audit()).findings if one.check == "outbox_waiting"]


def test_there_is_a_damage_for_every_check() -> None:
    assert {check for check, _ in DAMAGES} | {"outbox_waiting"} == {check.code for check in CHECKS}
