"""Adjustments of stock by staff, through the group commit and in a real database."""

import asyncio

import pytest

from chassis.persistence.mongo.database import Mongo
from product_svc.errors import InsufficientStock, SkuNotFound
from product_svc.stock.domain import Stock
from product_svc.unit_of_work import ProductUnitOfWork
from schemas import StockAdjusted
from tests.databases import Connecting, committing
from tests.outbox import envelopes, events
from tests.product_svc.factories import Commit, adjust, handle, new_sku, numbers, placed, stocked


async def test_an_adjustment_is_stored_published_and_recorded_as_a_movement(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 0)
    await adjust(commit, sku, 10)
    stock = await adjust(commit, sku, -3)
    assert (stock.on_hand, stock.reserved, stock.version) == (7, 0, 2)
    assert await numbers(shared, sku) == (7, 0)
    assert [(e.aggregate_version, e.event) for e in await envelopes(shared, sku)] == [
        (1, StockAdjusted(sku=sku, delta=10, reason="delivery", on_hand=10, reserved=0)),
        (2, StockAdjusted(sku=sku, delta=-3, reason="delivery", on_hand=7, reserved=0)),
    ]
    movements = await shared.db.movements.find({"sku": sku}).sort("_id").to_list()
    assert [(m["delta"], m["reason"]) for m in movements] == [(10, "delivery"), (-3, "delivery")]


async def test_the_stock_of_an_unknown_sku_cannot_be_adjusted(shared: Mongo, commit: Commit) -> None:
    sku = new_sku()
    with pytest.raises(SkuNotFound):
        await adjust(commit, sku, 1)
    assert await shared.db.movements.count_documents({"sku": sku}) == 0


async def test_units_that_orders_reserved_cannot_be_taken_away(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    await handle(shared, placed({sku: 3}))
    with pytest.raises(InsufficientStock) as refused:
        await adjust(commit, sku, -3)
    assert refused.value.extra == {"available": 2}
    assert await numbers(shared, sku) == (5, 3)
    assert len(await events(shared, sku)) == 1


async def test_concurrent_adjustments_all_count_and_are_published_in_order(
    shared: Mongo, commit: Commit, connecting: Connecting
) -> None:
    sku = await stocked(commit, 0)
    async with connecting() as other, committing(other, ProductUnitOfWork) as theirs:
        await asyncio.gather(*(adjust(one, sku, 1) for _ in range(15) for one in (commit, theirs)))
    assert await numbers(shared, sku) == (30, 0)
    history = await envelopes(shared, sku)
    assert [envelope.aggregate_version for envelope in history] == list(range(1, 31))
    assert [envelope.time for envelope in history] == sorted({envelope.time for envelope in history})


async def test_the_last_units_are_taken_away_once(shared: Mongo, commit: Commit, connecting: Connecting) -> None:
    sku = await stocked(commit, 4)
    async with connecting() as other, committing(other, ProductUnitOfWork) as theirs:
        tries = [adjust(one, sku, -1) for _ in range(4) for one in (commit, theirs)]
        done = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(one) for one in done].count(Stock) == 4
    assert [type(one) for one in done].count(InsufficientStock) == 4
    assert await numbers(shared, sku) == (0, 0)
