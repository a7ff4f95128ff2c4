"""The collections ``categories`` and ``category_tree``."""

from typing import Any, ClassVar
from uuid import UUID

from beanie import Document
from pymongo import ASCENDING, DeleteOne, IndexModel, InsertOne, UpdateOne

from chassis.persistence.mongo.rows import Load, write_rows
from chassis.persistence.mongo.times import from_micros, to_micros
from chassis.persistence.mongo.transaction import MongoTransaction
from chassis.persistence.unit_of_work import IdentityMap
from product_svc.categories.domain import Category


class CategoryDocument(Document):
    """A category."""

    id: UUID  # type: ignore[assignment]
    name: str
    parent_id: UUID | None
    attributes_schema: dict[str, Any] | None
    version: int
    changed_at: int
    products: int
    children: int

    class Settings:
        """Beanie's settings."""

        name = "categories"
        indexes: ClassVar = [IndexModel([("parent_id", ASCENDING), ("_id", ASCENDING)])]


def to_load(rows: IdentityMap[UUID, Category]) -> Load[UUID, Category]:
    """The prefetched categories, for ``load_rows``."""
    return rows, "categories", read_category


async def save(tx: MongoTransaction, rows: IdentityMap[UUID, Category]) -> None:
    """Write the changed categories; raise ``ConcurrentUpdate`` where one has another version by now."""
    await write_rows(tx, "category_tree", _tree_writes(rows))
    writes: list[Any] = [InsertOne(_inserted(category)) for category in rows.inserted if not category.removed]
    await write_rows(tx, "categories", writes + [_update(rows.original(one.id), one) for one in rows.updated])


def read_category(document: Any) -> tuple[UUID, Category]:
    """(id, category) of a document of ``categories``."""
    return document["_id"], Category(
        document["_id"],
        document["name"],
        document["parent_id"],
        document["attributes_schema"],
        document["version"],
        from_micros(document["changed_at"]),
        document["products"],
        document["children"],
    )


def _tree_writes(rows: IdentityMap[UUID, Category]) -> list[Any]:
    """One document that every change of the tree writes, so that two changes at once conflict.

    Each alone may be valid and both together not: A moved under B while B is moved under A.
    """
    for category in rows.changed:
        before = rows.original(category.id)
        if before is None or category.removed or category.parent_id != before.parent_id:
            return [UpdateOne({"_id": "tree"}, {"$inc": {"changes": 1}}, upsert=True)]
    return []


def _inserted(category: Category) -> dict[str, Any]:
    return {"_id": category.id, **_fields(category), "products": category.products, "children": category.children}


def _update(before: Category | None, category: Category) -> Any:
    assert before is not None
    as_loaded = {"_id": category.id, "version": before.version}
    if category.removed:
        return DeleteOne(as_loaded)
    counts = {"products": category.products - before.products, "children": category.children - before.children}
    return UpdateOne(as_loaded, {"$set": _fields(category), "$inc": counts})


def _fields(category: Category) -> dict[str, Any]:
    return {
        "name": category.name,
        "parent_id": category.parent_id,
        "attributes_schema": category.schema,
        "version": category.version,
        "changed_at": to_micros(category.changed_at),
    }
