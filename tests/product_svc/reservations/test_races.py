"""Several processes on one stock: exactly what is on hand is reserved."""

import asyncio
from datetime import UTC, datetime

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.errors import ConcurrentUpdate
from chassis.persistence.mongo.database import Mongo
from product_svc.reservations.commands import ReserveStock
from product_svc.unit_of_work import ProductUnitOfWork
from schemas import Envelope, StockRejected, StockReserved
from tests.databases import Connecting, committing
from tests.outbox import events
from tests.product_svc.factories import Commit, adjust, cancelled, handle, numbers, placed, reservation, stocked


async def test_the_last_unit_is_reserved_by_one_of_two_processes(
    shared: Mongo, commit: Commit, connecting: Connecting
) -> None:
    async with connecting() as one, connecting() as other:
        for _ in range(5):
            sku = await stocked(commit, 1)
            first, second = placed({sku: 1}), placed({sku: 1})
            await asyncio.gather(handle(one, first), handle(other, second))
            replies = [(await events(shared, order.order_id))[0] for order in (first, second)]
            assert {type(reply) for reply in replies} == {StockReserved, StockRejected}
            assert await numbers(shared, sku) == (1, 1)


async def test_orders_over_crossed_skus_neither_deadlock_nor_oversell(
    shared: Mongo, commit: Commit, connecting: Connecting
) -> None:
    mug, cup = await stocked(commit, 10), await stocked(commit, 10)
    forth = [placed({mug: 1, cup: 1}) for _ in range(8)]
    back = [placed({cup: 1, mug: 1}) for _ in range(8)]
    async with connecting() as one, connecting() as other:
        await asyncio.gather(handle(one, *forth), handle(other, *back))
    replies = [type((await events(shared, order.order_id))[0]) for order in forth + back]
    assert (replies.count(StockReserved), replies.count(StockRejected)) == (10, 6)
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(10, 10), (10, 10)]


async def test_orders_and_adjustments_at_once_both_count(
    shared: Mongo, commit: Commit, connecting: Connecting
) -> None:
    sku = await stocked(commit, 20)
    orders = [placed({sku: 1}) for _ in range(10)]
    async with connecting() as other, committing(other, ProductUnitOfWork) as theirs:
        tasks = [adjust(theirs, sku, -1) for _ in range(10)] + [adjust(commit, sku, 1) for _ in range(5)]
        await asyncio.gather(*(handle(shared, order) for order in orders), *tasks)
    assert await numbers(shared, sku) == (15, 10)


async def test_a_reservation_and_its_release_at_once_end_with_nothing_held(
    shared: Mongo, commit: Commit, connecting: Connecting
) -> None:
    sku = await stocked(commit, 5)
    orders = [placed({sku: 1}) for _ in range(5)]
    async with connecting() as one, connecting() as other:
        await asyncio.gather(
            *(handle(one, order) for order in orders), *(handle(other, cancelled(order)) for order in orders)
        )
    assert await numbers(shared, sku) == (5, 0)


async def test_a_decision_based_on_outdated_stock_is_not_saved(
    shared: Mongo, commit: Commit, connecting: Connecting
) -> None:
    sku = await stocked(commit, 1)
    order, faster = placed({sku: 1}), placed({sku: 1})
    slow = ProductUnitOfWork(datetime.now(UTC))
    command = ReserveStock(Envelope(uuid7(), "/shopstream/test", slow.now, 1, order))
    command.prefetch(slow)

    async def decide_slowly() -> None:
        async with shared.transaction() as tx, connecting() as other:
            await slow.load(tx)
            await handle(other, faster)
            command.execute(slow)
            await slow.save(tx)

    with pytest.raises(ConcurrentUpdate):
        await decide_slowly()
    assert await numbers(shared, sku) == (1, 1)
    assert await reservation(shared, order.order_id) is None
