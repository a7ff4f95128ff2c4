"""Shipping races cancelling through all services and their stores: one wins, and the stock is what that leaves."""

import asyncio

import pytest
from uuid_utils.compat import uuid7

from chassis.http.preconditions import ANY
from order_svc.errors import TransitionNotAllowed
from order_svc.fulfilment.commands import CancelRemainder, ShipOrder
from order_svc.orders.commands import CancelOrder
from tests.ops.world import PARCEL, World


async def stock(world: World, sku: str) -> tuple[int, int]:
    found = await world.products.db.stock.find_one({"_id": sku})
    assert found
    return found["on_hand"], found["reserved"]


@pytest.mark.parametrize("partly_shipped", [False, True])
async def test_one_wins_and_its_stock_is_moved_once(world: World, partly_shipped: bool) -> None:
    commit, won = world.commits["order_svc"], set()
    for nth in range(4):
        sku = await world.product(10)
        order = await world.confirmed(sku, 3)
        if partly_shipped:
            await commit(ShipOrder(order, ANY, uuid7(), **PARCEL, quantities={sku: 1}))
        cancel = CancelRemainder(order, None) if partly_shipped else CancelOrder(order, None)
        commands = [ShipOrder(order, ANY, uuid7(), **PARCEL), cancel]
        tasks = [asyncio.create_task(commit(command)) for command in (commands if nth % 2 else commands[::-1])]
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(result, TransitionNotAllowed) for result in results) == 1
        await world.flow()
        left = await stock(world, sku)
        assert left in ((7, 0), (9 if partly_shipped else 10, 0))
        won.add(left)
    assert len(won) == 2, "each of them won"
    assert await world.new_findings() == set()
