"""What can be read of categories."""

from typing import Any
from uuid import UUID

from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.database import Mongo
from product_svc.categories.domain import Category
from product_svc.categories.store import read_category
from product_svc.errors import CategoryNotFound

MAX_MILLISECONDS = 5_000
"""A walk through the tree that takes longer is aborted."""


async def category(database: Mongo, category_id: UUID) -> Category:
    """One category; raise ``CategoryNotFound``."""
    with translated():
        found = await database.db.categories.find_one({"_id": category_id})
    if found is None:
        raise CategoryNotFound
    return read_category(found)[1]


async def categories(database: Mongo, after: UUID | None, limit: int) -> list[Category]:
    """Categories in the order of their creation, after one of them."""
    query = {"_id": {"$gt": after}} if after else {}
    with translated():
        found = await database.db.categories.find(query).sort("_id").limit(limit).to_list()
    return [read_category(document)[1] for document in found]


async def subtree(database: Mongo, category_id: UUID) -> list[UUID]:
    """The ids of a category and of all below it; none where there is no such category."""
    below = {
        "from": "categories",
        "startWith": "$_id",
        "connectFromField": "_id",
        "connectToField": "parent_id",
        "as": "below",
    }
    stages: list[dict[str, Any]] = [
        *({"$match": {"_id": category_id}}, {"$graphLookup": below}),
        # Without their schemas, which can be large.
        {"$project": {"below._id": 1}},
    ]
    with translated():
        found = await database.db.categories.aggregate(stages, maxTimeMS=MAX_MILLISECONDS)
        roots = await found.to_list()
    return [id_ for root in roots for id_ in (root["_id"], *(one["_id"] for one in root["below"]))]
