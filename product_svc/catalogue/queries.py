"""What can be asked of the catalogue."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chassis.mongo import Mongo, translated
from product_svc.catalogue.documents import category_of, product_of
from product_svc.catalogue.domain import Category, Product
from product_svc.errors import CategoryUnknown, ProductUnknown

SEEN: dict[str, Any] = {"status": {"$ne": "draft"}}
"""What everybody may see."""


async def product(database: Mongo, product_id: UUID, *, drafts: bool = False) -> Product:
    """One product; raise ``ProductUnknown``, also for a draft without ``drafts``."""
    with translated():
        found = await database.db.products.find_one({"_id": product_id, **({} if drafts else SEEN)})
    if found is None:
        raise ProductUnknown
    return product_of(found)[1]


async def products(
    database: Mongo, skus: Sequence[str], after: UUID | None, limit: int, *, drafts: bool = False
) -> list[Product]:
    """Products in the order of their making, after one of them; where SKUs are given, those that have one."""
    query: dict[str, Any] = {} if drafts else dict(SEEN)
    if skus:
        query["variants.sku"] = {"$in": list(skus)}
    if after:
        query["_id"] = {"$gt": after}
    with translated():
        found = await database.db.products.find(query).sort("_id").limit(limit).to_list()
    return [product_of(document)[1] for document in found]


async def category(database: Mongo, category_id: UUID) -> Category:
    """One category; raise ``CategoryUnknown``."""
    with translated():
        found = await database.db.categories.find_one({"_id": category_id})
    if found is None:
        raise CategoryUnknown
    return category_of(found)[1]


async def categories(database: Mongo, after: UUID | None, limit: int) -> list[Category]:
    """Categories in the order of their making, after one of them."""
    query = {"_id": {"$gt": after}} if after else {}
    with translated():
        found = await database.db.categories.find(query).sort("_id").limit(limit).to_list()
    return [category_of(document)[1] for document in found]
