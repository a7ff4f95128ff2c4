"""Products and stock in and out of their collections."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.errors import ConcurrentUpdate
from chassis.persistence.mongo.database import Mongo
from product_svc import queries
from product_svc.catalogue import queries as catalogue
from product_svc.catalogue.domain import Product, Variant
from product_svc.catalogue.search import Search
from product_svc.domain import Stock
from product_svc.errors import ProductUnknown, SkuUnknown
from product_svc.store import Warehouse, open_documents
from tests.product_svc.goods import PRICE, new_sku

AT = datetime(2026, 1, 1, 12, 0, 0, 123457, UTC)
ODD: Mapping[str, Any] = {"text": 'ü"\\', "number": 2**53 - 1, "float": 1.0, "flag": True, "list": ["a", ""]}


@pytest.fixture(autouse=True)
async def documents(shared: Mongo) -> None:
    await open_documents(shared)


def product(*skus: str) -> Product:
    variants = tuple(Variant(sku, PRICE, ODD, ("https://img.example/a",), "discontinued") for sku in skus)
    details = {"description": "Ø", "category_id": uuid7(), "images": ("https://img.example/b",), "status": "draft"}
    return Product(uuid7(), "Ø “mug” \\", ODD, variants, 1, AT, **details)  # type: ignore[arg-type]


async def found(database: Mongo, sku: str) -> list[Product]:
    search = Search(skus=[sku], statuses=["draft"])
    return (await catalogue.products(database, search, "added", None, 10))[0]


async def keep(database: Mongo, made: Product) -> None:
    unit, skus = Warehouse(AT), [variant.sku for variant in made.variants]
    unit.products.prefetch(made.id)
    unit.stock.prefetch(*skus)
    async with database.transaction() as tx:
        await unit.load(tx)
        unit.products.set(made.id, made)
        for sku in skus:
            unit.stock.set(sku, Stock(sku, 5, 2, 3, AT))
        await unit.save(tx)


async def test_a_product_and_its_stock_come_back_as_they_went_to_the_microsecond(shared: Mongo) -> None:
    made = product(new_sku(), new_sku())
    await keep(shared, made)
    assert await catalogue.product(shared, made.id, drafts=True) == made
    assert await queries.stock(made.variants[0].sku) == Stock(made.variants[0].sku, 5, 2, 3, AT)


async def test_a_sku_of_another_product_is_refused_by_the_database_itself(shared: Mongo) -> None:
    sku = new_sku()
    await keep(shared, product(sku))
    unit, other = Warehouse(AT), product(sku)
    unit.products.prefetch(other.id)

    async def keep_blindly() -> None:
        async with shared.transaction() as tx:
            await unit.load(tx)
            unit.products.set(other.id, other)
            await unit.save(tx)

    with pytest.raises(ConcurrentUpdate):
        await keep_blindly()
    assert [one.id for one in await found(shared, sku)] != [other.id]


async def test_what_is_not_there_is_not_found(shared: Mongo) -> None:
    with pytest.raises(ProductUnknown):
        await catalogue.product(shared, uuid7())
    with pytest.raises(SkuUnknown):
        await queries.stock(new_sku())
    assert await found(shared, new_sku()) == []
