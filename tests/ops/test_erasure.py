"""A shop from which a customer was erased still adds up."""

from dataclasses import replace

import pytest

from customer_svc.erasure.queries import erasure_by_id
from tests.ops.world import World, erased


async def test_a_complete_erasure_adds_up(world: World) -> None:
    customer_id = await world.registered()
    await replace(world, buyer=customer_id).confirmed()
    await world.new_findings()
    erasure_id = await erased(world, customer_id)
    await world.flow()
    assert await world.new_findings() == set()
    assert (await erasure_by_id(world.customers, erasure_id)).done


async def test_stock_of_an_erased_customers_orders_is_released_and_adds_up(world: World) -> None:
    customer_id, sku = await world.registered(), await world.product(on_hand=5)
    await world.placed({sku: 2}, customer_id)
    await world.flow()
    # The stock of this one is not requested yet; the mails about the other one have been sent.
    await world.placed({sku: 1}, customer_id)
    await world.new_findings()
    await erased(world, customer_id)
    await world.flow()
    assert await world.new_findings() == set()
    stock = await world.products.db.stock.find_one({"_id": sku})
    assert stock is not None
    assert (stock["on_hand"], stock["reserved"]) == (5, 0)


@pytest.mark.parametrize("service", ["order_svc", "notifier_svc"])
async def test_an_erasure_waits_for_a_service_that_does_not_consume(world: World, service: str) -> None:
    customer_id = await world.registered()
    erasure_id = await erased(world, customer_id)
    await world.flow(stopped=[service])
    erasure = await erasure_by_id(world.customers, erasure_id)
    assert (erasure.orders_anonymised_at is None, erasure.mails_anonymised_at is None) == (
        service == "order_svc",
        service == "notifier_svc",
    )
