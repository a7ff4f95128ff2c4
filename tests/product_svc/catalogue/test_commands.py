"""What creating products does, through the group commit and in a real database."""

import asyncio

import pytest

from chassis.persistence.mongo.database import Mongo
from product_svc.catalogue.domain import Product
from product_svc.errors import SkuTaken
from product_svc.unit_of_work import ProductUnitOfWork
from schemas import ProductCreated
from schemas.values import Variant
from tests.databases import Connecting, committing
from tests.outbox import events
from tests.product_svc.factories import PRICE, Commit, create, new_sku, numbers, stocked


async def test_a_product_is_stored_with_zero_stock_and_published(shared: Mongo, commit: Commit) -> None:
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


async def test_of_products_created_concurrently_with_one_sku_one_is_created(
    shared: Mongo, commit: Commit, connecting: Connecting
) -> None:
    sku = new_sku()
    async with connecting() as other, committing(other, ProductUnitOfWork) as theirs:
        tries = [create(one, sku) for _ in range(5) for one in (commit, theirs)]
        done = await asyncio.gather(*tries, return_exceptions=True)
    made = [one for one in done if isinstance(one, Product)]
    assert len(made) == 1
    assert [type(one) for one in done if one is not made[0]] == [SkuTaken] * 9
    assert await shared.db.products.count_documents({"variants.sku": sku}) == 1
    assert len(await events(shared, made[0].id)) == 1
