"""How categories and products get in and out of their collections.

Beside what a product is, its document holds ``search``: the same, laid out for being found. It is written with
every change and read by nothing but the queries of ``search``.
"""

from typing import Any, ClassVar
from uuid import UUID

from beanie import Document
from pydantic import BaseModel, Field
from pymongo import ASCENDING, TEXT, DeleteOne, IndexModel, InsertOne, ReplaceOne, UpdateOne

from chassis.persistence.unit_of_work import IdentityMap
from product_svc.catalogue.domain import Category, Product, Variant
from product_svc.catalogue.search import laid_out
from product_svc.times import micros, moment
from schemas import Money


class PricePart(BaseModel):
    """Minor units of a currency."""

    amount: int
    currency: str


class VariantPart(BaseModel):
    """A SKU with its price, and what it has of its own."""

    sku: str
    price: PricePart
    attributes: dict[str, Any] = Field(default_factory=dict)
    images: list[str] = Field(default_factory=list)
    status: str = "active"


class ProductDocument(Document):
    """A product. What is missing in documents of the first release has its default."""

    id: UUID  # type: ignore[assignment]
    name: str
    attributes: dict[str, Any]
    variants: list[VariantPart]
    version: int
    changed_at: int
    description: str = ""
    category_id: UUID | None = None
    images: list[str] = Field(default_factory=list)
    status: str = "active"

    class Settings:
        """Beanie's settings."""

        name = "products"
        indexes: ClassVar = [
            IndexModel([("variants.sku", ASCENDING)], unique=True),
            IndexModel([("category_id", ASCENDING), ("_id", ASCENDING)]),
            IndexModel([("search.name", ASCENDING), ("_id", ASCENDING)]),
            IndexModel([("search.offers.facets", ASCENDING)]),
            IndexModel(
                [("name", TEXT), ("description", TEXT), ("search.words", TEXT)],
                name="text",
                weights={"name": 10, "search.words": 5},
                default_language="english",
                # An attribute called "language" says nothing about how the words of its product are to be read.
                language_override="search_language",
            ),
        ]


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


def product_of(document: Any) -> tuple[UUID, Product]:
    """(id, product) of a document of ``products``."""
    return document["_id"], Product(
        document["_id"],
        document["name"],
        document["attributes"],
        tuple(_variant(part) for part in document["variants"]),
        document["version"],
        moment(document["changed_at"]),
        document.get("description", ""),
        document.get("category_id"),
        tuple(document.get("images", ())),
        document.get("status", "active"),
    )


def _variant(part: Any) -> Variant:
    return Variant(
        part["sku"],
        Money.model_validate(part["price"]),
        part.get("attributes", {}),
        tuple(part.get("images", ())),
        part.get("status", "active"),
    )


def product_document(product: Product) -> dict[str, Any]:
    """The document of a product."""
    return {
        "_id": product.id,
        "name": product.name,
        "attributes": dict(product.attributes),
        "variants": [_variant_part(variant) for variant in product.variants],
        "version": product.version,
        "changed_at": micros(product.changed_at),
        "description": product.description,
        "category_id": product.category_id,
        "images": list(product.images),
        "status": product.status,
        "search": laid_out(product),
    }


def _variant_part(variant: Variant) -> dict[str, Any]:
    return {
        "sku": variant.sku,
        "price": variant.price.model_dump(),
        "attributes": dict(variant.attributes),
        "images": list(variant.images),
        "status": variant.status,
    }


def product_writes(rows: IdentityMap[UUID, Product]) -> list[Any]:
    """What to write of the products of a transaction; an amended one must be as it was loaded."""
    writes: list[Any] = [InsertOne(product_document(product)) for product in rows.inserted]
    for product in rows.updated:
        before = rows.original(product.id)
        assert before is not None
        writes.append(ReplaceOne({"_id": product.id, "version": before.version}, product_document(product)))
    return writes


def category_of(document: Any) -> tuple[UUID, Category]:
    """(id, category) of a document of ``categories``."""
    return document["_id"], Category(
        document["_id"],
        document["name"],
        document["parent_id"],
        document["attributes_schema"],
        document["version"],
        moment(document["changed_at"]),
        document["products"],
        document["children"],
    )


def category_writes(rows: IdentityMap[UUID, Category]) -> list[Any]:
    """What to write of the categories of a transaction."""
    writes: list[Any] = [InsertOne(_made(category)) for category in rows.inserted if not category.removed]
    for category in rows.updated:
        before = rows.original(category.id)
        assert before is not None
        as_loaded = {"_id": category.id, "version": before.version}
        writes.append(
            DeleteOne(as_loaded) if category.removed else UpdateOne(as_loaded, _amendment(before, category))
        )
    return writes


def tree_writes(rows: IdentityMap[UUID, Category]) -> list[Any]:
    """One document that every change of the tree writes, so that two at once conflict.

    Each alone may be sound and both together not: A put under B while B is put under A.
    """
    for category in rows.changed:
        before = rows.original(category.id)
        if before is None or category.removed or category.parent_id != before.parent_id:
            return [UpdateOne({"_id": "tree"}, {"$inc": {"changes": 1}}, upsert=True)]
    return []


def _made(category: Category) -> dict[str, Any]:
    return {"_id": category.id, **_stated(category), "products": category.products, "children": category.children}


def _amendment(before: Category, category: Category) -> dict[str, Any]:
    counts = {"products": category.products - before.products, "children": category.children - before.children}
    return {"$set": _stated(category), "$inc": counts}


def _stated(category: Category) -> dict[str, Any]:
    return {
        "name": category.name,
        "parent_id": category.parent_id,
        "attributes_schema": category.schema,
        "version": category.version,
        "changed_at": micros(category.changed_at),
    }
