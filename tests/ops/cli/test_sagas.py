"""``shop sagas``: orders that wait for their stock, seen and resolved."""

import pytest
from uuid_utils.compat import uuid7

from tests.ops.cli.program import assert_failed, location, run
from tests.ops.world import World, sql


@pytest.fixture(scope="module")
async def sku(world: World) -> str:
    return await world.product(1000)


async def waiting(world: World, sku: str) -> str:
    """Place an order to which product_svc does not reply."""
    return str(await world.placed({sku: 1}))


async def test_the_orders_that_wait_are_listed(world: World, sku: str) -> None:
    fresh, stuck = await waiting(world, sku), await waiting(world, sku)
    age = "UPDATE orders SET stored_at = stored_at - interval '1 hour' WHERE id = :id"
    await sql(world.orders, age, id=stuck)
    listed = (await run("sagas", "list", "--json", **location(world))).json
    assert {fresh, stuck} <= {one["order_id"] for one in listed}
    stuck_ones = (await run("sagas", "list", "--state", "stuck", "--json", **location(world))).json
    assert [one["order_id"] for one in stuck_ones if one["order_id"] in (fresh, stuck)] == [stuck]
    [one] = [one for one in stuck_ones if one["order_id"] == stuck]
    assert (one["order_state"], one["step"], one["asked"]) == ("PENDING", "reserve", 1)
    shown = await run("sagas", "list", **location(world))
    assert fresh in shown.out
    assert len((await run("sagas", "list", "--limit", "1", "--json", **location(world))).json) == 1


async def test_a_saga_is_retried_with_a_reason_that_is_recorded(world: World, sku: str) -> None:
    order = await waiting(world, sku)
    result = await run("sagas", "retry", order, "--why", "product_svc was down", "--json", **location(world))
    assert (result.status, result.json) == (0, [{"order_id": order, "state": "PENDING", "error": None}])
    [saga] = [
        one for one in (await run("sagas", "list", "--json", **location(world))).json if one["order_id"] == order
    ]
    assert saga["asked"] == 2
    await world.flow()
    assert all(one["order_id"] != order for one in (await run("sagas", "list", "--json", **location(world))).json)


async def test_a_saga_is_cancelled(world: World, sku: str) -> None:
    order = await waiting(world, sku)
    result = await run("sagas", "cancel", order, "--why", "the customer called", **location(world))
    assert result.status == 0
    assert "CANCELLED" in result.out


async def test_one_that_is_refused_does_not_keep_the_others_from_it(world: World, sku: str) -> None:
    confirmed, order = str(await world.confirmed(sku)), await waiting(world, sku)
    result = await run("sagas", "cancel", confirmed, order, "--why", "test", "--json", **location(world))
    assert result.status == 1
    refused, cancelled = result.json
    assert refused["error"].startswith("order: transition_not_allowed: ")
    assert refused["error"].endswith("Possible now: amend, cancel, ship.")
    assert cancelled == {"order_id": order, "state": "CANCELLED", "error": None}


async def test_a_refusal_of_the_only_one_is_one_line(world: World) -> None:
    unknown = str(uuid7())
    result = await run("sagas", "retry", unknown, "--why", "test", **location(world))
    assert_failed(result, "cannot retry a saga: order: order_not_found: ")


@pytest.mark.parametrize("command", ["retry", "cancel"])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "Missing option '--why'"),
        (("--why", " "), "a reason has 1 to 500 characters"),
        (("--why", "x" * 501), "a reason has 1 to 500 characters"),
        (("--why", "x", "--request-id", "a b"), "visible ASCII characters"),
    ],
)
async def test_a_change_needs_a_reason(command: str, options: tuple[str, ...], words: str) -> None:
    result = await run("sagas", command, str(uuid7()), *options)
    assert_failed(result, words, f"(see shop sagas {command} --help)")


async def test_an_order_that_has_no_id_is_a_mistake() -> None:
    assert_failed(await run("sagas", "retry", "4711", "--why", "x"), "Invalid value for 'ORDER")


async def test_only_two_services_are_needed(world: World) -> None:
    env = location(world)
    for unused in ("PRODUCT_URL", "NOTIFIER_URL", "KAFKA_BOOTSTRAP_SERVERS"):
        del env[unused]
    assert (await run("sagas", "list", **env)).status == 0
    assert_failed(await run("lag", **env), "set --product-url")
