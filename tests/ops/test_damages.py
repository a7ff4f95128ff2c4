"""The audit names each kind of damage, and nothing else for it."""

import pytest

from ops.audit.checks import CHECKS
from tests.ops.damages import DAMAGES, Damage
from tests.ops.world import World

Finding = tuple[str, str]


@pytest.fixture(scope="module")
async def planted(world: World) -> dict[Damage, Finding]:
    """Every damage, each done to things of its own; what the audit must say of it."""
    return {damage: (check, await damage(world)) for check, damage in DAMAGES}


@pytest.fixture(scope="module")
async def named(world: World, planted: dict[Damage, Finding]) -> set[Finding]:
    """What the audit says of the shop with all its damages."""
    return await world.news()


@pytest.mark.parametrize("damage", [damage for _, damage in DAMAGES])
def test_a_damage_is_named(planted: dict[Damage, Finding], named: set[Finding], damage: Damage) -> None:
    assert planted[damage] in named


def test_nothing_else_is_named(planted: dict[Damage, Finding], named: set[Finding]) -> None:
    assert named == set(planted.values())


async def test_what_waits_in_an_outbox_is_named_until_it_is_out(world: World, named: set[Finding]) -> None:
    await world.registered()
    assert await world.news() == {("outbox_waiting", "customer")}
    await world.flow()
    assert not [one for one in (await world.audit()).findings if one.check == "outbox_waiting"]


def test_there_is_a_damage_for_every_check() -> None:
    assert {check for check, _ in DAMAGES} | {"outbox_waiting"} == {check.code for check in CHECKS}
