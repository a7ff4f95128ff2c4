"""What can be asked of the catalogue."""

from typing import Any
from uuid import UUID

from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.database import Mongo
from product_svc.catalogue import cursor
from product_svc.catalogue.cursor import Cursor
from product_svc.catalogue.documents import category_of, product_of
from product_svc.catalogue.domain import Category, Product
from product_svc.catalogue.search import Search, Sort, Stage, counting, matching, only_stocked
from product_svc.errors import CategoryUnknown, ProductUnknown

MAX_MILLISECONDS = 5_000
"""A search that takes longer is given up, before it takes the database from everybody else."""
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
    database: Mongo, search: Search, sort: Sort, after: Cursor | None, limit: int
) -> tuple[list[Product], str | None]:
    """A page of the products that are looked for, and the cursor behind it if there are more."""
    stages = [
        await _matching(database, search),
        *cursor.stages(sort, search.currency, after),
        *only_stocked(search),
        {"$limit": limit + 1},
    ]
    found = await _aggregate(database, "products", stages)
    more = cursor.written(sort, search.currency, found[limit - 1]) if len(found) > limit else None
    return [product_of(document)[1] for document in found[:limit]], more


async def counts(database: Mongo, search: Search) -> Stage:
    """How many of the products that are looked for there are: in all, and by what they can be narrowed down by."""
    stages = [await _matching(database, search), *only_stocked(search), *counting(search)]
    [found] = await _aggregate(database, "products", stages)
    return found


async def below(database: Mongo, category_id: UUID) -> list[UUID]:
    """A category and all that are below it; none where there is no such category."""
    down = {
        "from": "categories",
        "startWith": "$_id",
        "connectFromField": "_id",
        "connectToField": "parent_id",
        "as": "below",
    }
    found = await _aggregate(database, "categories", [{"$match": {"_id": category_id}}, {"$graphLookup": down}])
    return [id_ for root in found for id_ in (root["_id"], *(under["_id"] for under in root["below"]))]


async def _matching(database: Mongo, search: Search) -> Stage:
    categories = await below(database, search.category_id) if search.category_id else None
    return matching(search, categories)


async def _aggregate(database: Mongo, collection: str, stages: list[Stage]) -> list[Stage]:
    with translated():
        found = await database.db[collection].aggregate(stages, maxTimeMS=MAX_MILLISECONDS)
        return await found.to_list()


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
