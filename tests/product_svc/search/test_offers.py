"""What searches read is what is stored: after any change of products and stock, also of several at once."""

import asyncio
import random
from dataclasses import replace
from typing import Any

import pytest

from chassis.http.preconditions import ANY
from chassis.persistence.errors import ConcurrentUpdate
from chassis.persistence.mongo.database import Mongo
from product_svc.catalogue.commands import PutVariant, UpdateProduct
from product_svc.catalogue.domain import Variant
from product_svc.catalogue.store import read_product
from product_svc.search.store import offers
from product_svc.stock.commands import AdjustStock
from product_svc.stock.store import read_stock
from product_svc.unit_of_work import ProductUnitOfWork
from schemas import OrderPlaced
from tests.databases import Connecting
from tests.product_svc.factories import (
    PRICE,
    Commit,
    accepted,
    adjust,
    amended,
    cancelled,
    create,
    handle,
    new_sku,
    placed,
    refused,
    shipped,
    stocked,
)


async def wrong_offers(database: Mongo) -> list[str]:
    """The SKUs whose offers are not what product and stock make of them."""
    stock = dict(map(read_stock, await database.db.stock.find().to_list()))
    stored = {offer["_id"]: offer for offer in await database.db.offers.find().to_list()}
    products = [read_product(document)[1] for document in await database.db.products.find().to_list()]
    right = {offer["_id"]: offer for product in products for offer in offers(product, stock.get)}
    return [sku for sku in stored.keys() | right.keys() if stored.get(sku) != right.get(sku)]


async def available(database: Mongo, sku: str) -> bool:
    found = await database.db.offers.find_one({"_id": sku})
    assert found
    return bool(found["available"])


@pytest.mark.parametrize("seed", range(3))
async def test_offers_are_right_after_any_changes(commit: Commit, shared: Mongo, seed: int) -> None:
    chance, orders = random.Random(seed), list[OrderPlaced]()
    skus = [new_sku() for _ in range(4)]
    product = await create(commit, *skus[:2])
    other = await create(commit, *skus[2:])

    async def step() -> None:
        sku, some = chance.choice(skus), {one: chance.randint(1, 3) for one in chance.sample(skus, 2)}
        order = chance.choice(orders) if orders else placed(some)
        match chance.randrange(9):
            case 0 | 1:
                await adjust(commit, sku, chance.randint(0, 4))
            case 2 | 3:
                orders.append(placed(some))
                await handle(shared, orders[-1])
            case 4:
                await handle(shared, cancelled(order))
            case 5:
                settled = accepted(order, some) if chance.random() < 0.5 else refused(order)
                await handle(shared, amended(order, some), settled)
            case 6:
                await handle(shared, shipped(order, {line.sku: 1 for line in order.lines[:1]}))
            case 7:
                status = chance.choice(["active", "discontinued"])
                await commit(UpdateProduct(chance.choice([product, other]).id, ANY, {"status": status}))
            case _:
                owner = product if sku in skus[:2] else other
                attributes = {"n": chance.randint(1, 3)}
                variant = Variant(sku, PRICE, attributes)
                await commit(
                    PutVariant(owner.id, ANY, chance.choice([variant, replace(variant, status="discontinued")]))
                )

    for _ in range(25):
        await step()
        assert await wrong_offers(shared) == []


async def test_an_order_that_takes_the_last_unit_changes_no_product(commit: Commit, shared: Mongo) -> None:
    sku = await stocked(commit, 2)
    before = await shared.db.products.find_one({"variants.sku": sku})
    published = await shared.db.outbox.count_documents({"topic": "product.events"})
    order = placed({sku: 2})
    await handle(shared, order)
    assert not await available(shared, sku)
    await handle(shared, cancelled(order))
    assert await available(shared, sku)
    assert await shared.db.products.find_one({"variants.sku": sku}) == before
    assert await shared.db.outbox.count_documents({"topic": "product.events"}) == published


async def test_an_order_that_leaves_some_writes_no_offer(commit: Commit, shared: Mongo) -> None:
    sku = await stocked(commit, 5)
    await shared.db.offers.update_one({"_id": sku}, {"$set": {"available": "as before"}})
    await handle(shared, placed({sku: 4}))
    offer = await shared.db.offers.find_one({"_id": sku})
    assert offer
    assert offer["available"] == "as before"
    await shared.db.offers.update_one({"_id": sku}, {"$set": {"available": True}})


async def test_a_transaction_that_ends_before_its_commit_leaves_stock_and_offers_as_they_were(
    commit: Commit, shared: Mongo
) -> None:
    sku = await stocked(commit, 1)

    async def die() -> None:
        async with shared.transaction() as tx:
            await _taken(tx, sku)
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        await die()
    assert await available(shared, sku)
    assert await wrong_offers(shared) == []


async def test_a_product_that_is_changed_while_its_last_unit_is_taken_conflicts(
    commit: Commit, shared: Mongo, connecting: Connecting
) -> None:
    sku = await stocked(commit, 1)
    document: Any = await shared.db.products.find_one({"variants.sku": sku})
    change = PutVariant(document["_id"], ANY, Variant(sku, PRICE, {"colour": "red"}))

    async def at_once(other: Mongo) -> None:
        async with shared.transaction() as tx:
            uow = ProductUnitOfWork(read_product(document)[1].changed_at)
            change.prefetch(uow)
            await uow.load(tx)
            async with other.transaction() as first:
                await _taken(first, sku)
            change.execute(uow)
            await uow.save(tx)

    async with connecting() as other:
        with pytest.raises(ConcurrentUpdate):
            await at_once(other)
    await commit(change)
    assert not await available(shared, sku)
    assert await wrong_offers(shared) == []


async def test_many_changes_at_once_leave_the_offers_right(commit: Commit, shared: Mongo) -> None:
    sku = await stocked(commit, 3)
    document: Any = await shared.db.products.find_one({"variants.sku": sku})
    variants = (Variant(sku, PRICE, {"n": n}) for n in range(5))
    await asyncio.gather(
        *(handle(shared, placed({sku: 1})) for _ in range(4)),
        *(commit(PutVariant(document["_id"], ANY, variant)) for variant in variants),
    )
    assert not await available(shared, sku)
    assert await wrong_offers(shared) == []


async def _taken(tx: Any, sku: str) -> None:
    """Take the only unit of a SKU in a transaction."""
    command = AdjustStock(sku, -1, "damage")
    document = await tx.db.stock.find_one({"_id": sku})
    uow = ProductUnitOfWork(read_stock(document)[1].changed_at)
    command.prefetch(uow)
    await uow.load(tx)
    command.execute(uow)
    await uow.save(tx)
