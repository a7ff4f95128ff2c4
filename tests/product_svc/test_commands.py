"""What requests do to products and stock, through the group commit and in a real database."""

import asyncio

import pytest

from chassis.persistence.mongo.database import Mongo
from product_svc.catalogue.domain import Product
from product_svc.domain import Stock
from product_svc.errors import SkuTaken, SkuUnknown, StockTooLow
from product_svc.store import Warehouse
from schemas import ProductCreated, StockAdjusted
from schemas.values import Variant
from tests.databases import committing
from tests.outbox import events, told
from tests.product_svc.conftest import Connecting
from tests.product_svc.goods import PRICE, Commit, adjust, create, hear, new_sku, numbers, placed, stocked


async def test_a_product_is_stored_with_its_stock_at_nothing_and_told(shared: Mongo, commit: Commit) -> None:
    mug, cup = new_sku(), new_sku()
    product = await create(commit, mug, cup, attributes={"material": "stoneware"})
    document = await shared.db.products.find_one({"_id": product.id})
    assert document is not None
    assert (document["name"], document["attributes"], document["version"]) == ("Mug", {"material": "stoneware"}, 1)
    assert [await numbers(shared, sku) for sku in (mug, cup)] == [(0, 0), (0, 0)]
    variants = (Variant(sku=mug, price=PRICE), Variant(sku=cup, price=PRICE))
    assert await events(shared, product.id) == [ProductCreated(product_id=product.id, name="Mug", variants=variants)]


async def test_a_sku_belongs_to_one_product(shared: Mongo, commit: Commit) -> None:
    sku, free = await stocked(commit, 3), new_sku()
    with pytest.raises(SkuTaken) as refused:
        await create(commit, free, sku)
    assert refused.value.extra == {"skus": [sku]}
    assert await shared.db.stock.find_one({"_id": free}) is None
    assert await numbers(shared, sku) == (3, 0)


async def test_of_products_made_at_once_with_one_sku_one_is_made(
    shared: Mongo, commit: Commit, connecting: Connecting
) -> None:
    sku = new_sku()
    async with connecting() as other, committing(other, Warehouse) as theirs:
        tries = [create(one, sku) for _ in range(5) for one in (commit, theirs)]
        done = await asyncio.gather(*tries, return_exceptions=True)
    made = [one for one in done if isinstance(one, Product)]
    assert len(made) == 1
    assert [type(one) for one in done if one is not made[0]] == [SkuTaken] * 9
    assert await shared.db.products.count_documents({"variants.sku": sku}) == 1
    assert len(await events(shared, made[0].id)) == 1


async def test_an_adjustment_is_booked_told_and_explained(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 0)
    await adjust(commit, sku, 10)
    stock = await adjust(commit, sku, -3)
    assert (stock.on_hand, stock.reserved, stock.version) == (7, 0, 2)
    assert await numbers(shared, sku) == (7, 0)
    assert [(e.aggregate_version, e.event) for e in await told(shared, sku)] == [
        (1, StockAdjusted(sku=sku, delta=10, reason="delivery", on_hand=10, reserved=0)),
        (2, StockAdjusted(sku=sku, delta=-3, reason="delivery", on_hand=7, reserved=0)),
    ]
    movements = await shared.db.movements.find({"sku": sku}).sort("_id").to_list()
    assert [(m["delta"], m["reason"]) for m in movements] == [(10, "delivery"), (-3, "delivery")]


async def test_the_stock_of_an_unknown_sku_cannot_be_adjusted(shared: Mongo, commit: Commit) -> None:
    sku = new_sku()
    with pytest.raises(SkuUnknown):
        await adjust(commit, sku, 1)
    assert await shared.db.movements.count_documents({"sku": sku}) == 0


async def test_what_is_promised_to_orders_cannot_be_taken_away(shared: Mongo, commit: Commit) -> None:
    sku = await stocked(commit, 5)
    await hear(shared, placed({sku: 3}))
    with pytest.raises(StockTooLow) as refused:
        await adjust(commit, sku, -3)
    assert refused.value.extra == {"available": 2}
    assert await numbers(shared, sku) == (5, 3)
    assert len(await events(shared, sku)) == 1


async def test_adjustments_at_once_all_count_and_are_told_in_order(
    shared: Mongo, commit: Commit, connecting: Connecting
) -> None:
    sku = await stocked(commit, 0)
    async with connecting() as other, committing(other, Warehouse) as theirs:
        await asyncio.gather(*(adjust(one, sku, 1) for _ in range(15) for one in (commit, theirs)))
    assert await numbers(shared, sku) == (30, 0)
    history = await told(shared, sku)
    assert [envelope.aggregate_version for envelope in history] == list(range(1, 31))
    assert [envelope.time for envelope in history] == sorted({envelope.time for envelope in history})


async def test_the_last_pieces_are_taken_away_once(shared: Mongo, commit: Commit, connecting: Connecting) -> None:
    sku = await stocked(commit, 4)
    async with connecting() as other, committing(other, Warehouse) as theirs:
        tries = [adjust(one, sku, -1) for _ in range(4) for one in (commit, theirs)]
        done = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(one) for one in done].count(Stock) == 4
    assert [type(one) for one in done].count(StockTooLow) == 4
    assert await numbers(shared, sku) == (0, 0)
