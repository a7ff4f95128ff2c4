"""Pieces that orders hold are lost, through all services and their stores: both sides know the same in the end."""

import asyncio
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.http.preconditions import ANY
from order_svc.fulfilment.commands import CancelRemainder, ShipOrder
from order_svc.orders.commands import CancelOrder
from order_svc.orders.queries import find_order
from order_svc.saga.commands import RetrySaga
from product_svc.stock.commands import AdjustStock
from tests.ops.world import PARCEL, World


async def numbers(world: World, sku: str) -> tuple[int, int]:
    found = await world.products.db.stock.find_one({"_id": sku})
    assert found
    return found["on_hand"], found["reserved"]


async def known(world: World, order: UUID) -> tuple[str, dict[str, int]]:
    """The state of an order and what it misses, as order_svc knows it."""
    found = await find_order(world.orders, order, None)
    return found.state, {line.sku: line.quantity for line in found.missing_lines}


async def test_every_way_out_adds_up(world: World) -> None:
    skus = [await world.product(3) for _ in range(5)]
    orders = [await world.placed({sku: 3}) for sku in skus]
    await world.flow()
    for sku in skus:
        await world.broken(sku, 2)
    await world.flow()
    commit = world.commits["order_svc"]
    assert [await known(world, one) for one in orders] == [("CONFIRMED", {sku: 2}) for sku in skus]
    assert await world.new_findings() == set(), "an order that waits for staff is not a finding"
    cancelled, partly, amended, retried, _ = orders
    await commit(CancelOrder(cancelled, None))
    await commit(ShipOrder(partly, ANY, uuid7(), **PARCEL))
    await commit(CancelRemainder(partly, None))
    await world.amended(amended, {skus[2]: 1})
    await world.adjust(skus[3], 2)
    await commit(RetrySaga(retried))
    await world.flow()
    assert [(await known(world, one))[1] for one in orders] == [{}, {}, {}, {}, {skus[4]: 2}]
    await commit(ShipOrder(amended, ANY, uuid7(), **PARCEL))
    await commit(ShipOrder(retried, ANY, uuid7(), **PARCEL))
    await world.flow()
    assert [await numbers(world, sku) for sku in skus] == [(1, 0), (0, 0), (0, 0), (0, 0), (1, 1)]
    assert await world.new_findings() == set()


@pytest.mark.parametrize("shipped", [1, 2, 3])
async def test_a_parcel_and_a_loss_at_the_same_time(world: World, shipped: int) -> None:
    """The parcel has left, whatever was booked: neither is refused, and what is in it is not missing."""
    sku = await world.product(3)
    order = await world.confirmed(sku, 3)
    ship = ShipOrder(order, ANY, uuid7(), **PARCEL, quantities={sku: shipped})
    damage = AdjustStock(sku, -2, "damage", take_held=True)
    await asyncio.gather(world.commits["order_svc"](ship), world.commits["product_svc"](damage))
    await world.flow()
    left = {sku: min(2, 3 - shipped)} if shipped < 3 else {}
    assert await known(world, order) == ("SHIPPED", left)
    assert await numbers(world, sku) == (0, 0)
    assert await world.new_findings() == set()
