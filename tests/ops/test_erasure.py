"""A shop in which a customer was erased still adds up."""

from dataclasses import replace

import pytest

from customer_svc.erasure.queries import erasure_by_id
from tests.ops.world import World, erased


async def test_a_customer_who_is_forgotten_by_everybody_adds_up(world: World) -> None:
    customer_id = await world.registered()
    await replace(world, buyer=customer_id).confirmed()
    await world.news()
    erasure_id = await erased(world, customer_id)
    await world.flow()
    assert await world.news() == set()
    assert (await erasure_by_id(world.customers, erasure_id)).done


async def test_what_an_erased_customer_has_not_got_is_for_sale_again_and_adds_up(world: World) -> None:
    customer_id, sku = await world.registered(), await world.product(on_hand=5)
    await world.placed({sku: 2}, customer_id)
    await world.flow()
    # Its stock is not asked for yet, and mails about the other order have left already.
    await world.placed({sku: 1}, customer_id)
    await world.news()
    await erased(world, customer_id)
    await world.flow()
    assert await world.news() == set()
    stock = await world.products.db.stock.find_one({"_id": sku})
    assert stock is not None
    assert (stock["on_hand"], stock["reserved"]) == (5, 0)


@pytest.mark.parametrize("service", ["order_svc", "notifier_svc"])
async def test_an_erasure_waits_for_a_service_that_does_not_hear(world: World, service: str) -> None:
    customer_id = await world.registered()
    erasure_id = await erased(world, customer_id)
    await world.flow(deaf=[service])
    erasure = await erasure_by_id(world.customers, erasure_id)
    assert (erasure.orders_anonymised_at is None, erasure.mails_anonymised_at is None) == (
        service == "order_svc",
        service == "notifier_svc",
    )
