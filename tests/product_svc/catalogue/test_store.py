"""Products and stock saved to their collections, and loaded again."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.errors import ConcurrentUpdate
from chassis.persistence.mongo.database import Mongo
from product_svc.catalogue import queries
from product_svc.catalogue.domain import Product, Variant
from product_svc.errors import ProductNotFound, SkuNotFound
from product_svc.search.domain import Search
from product_svc.search.queries import products
from product_svc.stock.domain import Stock
from product_svc.stock.queries import stock
from product_svc.unit_of_work import ProductUnitOfWork, open_documents
from tests.product_svc.factories import PRICE, new_sku

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
    return (await products(database, search, "added", None, 10))[0]


async def save(database: Mongo, made: Product) -> None:
    uow, skus = ProductUnitOfWork(AT), [variant.sku for variant in made.variants]
    uow.products.prefetch(made.id)
    uow.stock.prefetch(*skus)
    async with database.transaction() as tx:
        await uow.load(tx)
        uow.products.set(made.id, made)
        for sku in skus:
            uow.stock.set(sku, Stock(sku, 5, 2, 3, AT))
        await uow.save(tx)


async def test_a_product_and_its_stock_are_loaded_as_they_were_saved_to_the_microsecond(shared: Mongo) -> None:
    made = product(new_sku(), new_sku())
    await save(shared, made)
    assert await queries.product(shared, made.id, drafts=True) == made
    assert await stock(made.variants[0].sku) == Stock(made.variants[0].sku, 5, 2, 3, AT)


async def test_a_sku_of_another_product_is_refused_by_the_database_itself(shared: Mongo) -> None:
    sku = new_sku()
    await save(shared, product(sku))
    uow, other = ProductUnitOfWork(AT), product(sku)
    uow.products.prefetch(other.id)

    async def save_blindly() -> None:
        async with shared.transaction() as tx:
            await uow.load(tx)
            uow.products.set(other.id, other)
            await uow.save(tx)

    with pytest.raises(ConcurrentUpdate):
        await save_blindly()
    assert [one.id for one in await found(shared, sku)] != [other.id]


async def test_a_missing_product_or_stock_is_not_found(shared: Mongo) -> None:
    with pytest.raises(ProductNotFound):
        await queries.product(shared, uuid7())
    with pytest.raises(SkuNotFound):
        await stock(new_sku())
    assert await found(shared, new_sku()) == []
