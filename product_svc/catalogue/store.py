"""The collection ``products``.

Beside the product itself, its document holds ``search.terms``: the terms of its words, written with every change,
which only the queries of ``search`` read. What they read of its variants is in the collection ``offers``
(``search.store``).
"""

from typing import Any, ClassVar
from uuid import UUID

from beanie import Document
from pydantic import BaseModel, Field
from pymongo import ASCENDING, IndexModel, InsertOne, ReplaceOne

from chassis.persistence.mongo.rows import Load, write_rows
from chassis.persistence.mongo.times import from_micros, to_micros
from chassis.persistence.mongo.transaction import MongoTransaction
from chassis.persistence.unit_of_work import IdentityMap
from product_svc.catalogue.domain import Product, Variant
from product_svc.catalogue.search_fields import search_terms
from schemas import Money


class PricePart(BaseModel):
    """A price in minor units of a currency."""

    amount: int
    currency: str


class VariantPart(BaseModel):
    """A variant."""

    sku: str
    price: PricePart
    attributes: dict[str, Any] = Field(default_factory=dict)
    images: list[str] = Field(default_factory=list)
    status: str = "active"


class ProductDocument(Document):
    """A product. Fields that are missing in documents of the first release have defaults."""

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
    created_at: int | None = None

    class Settings:
        """Beanie's settings."""

        name = "products"
        indexes: ClassVar = [
            IndexModel([("variants.sku", ASCENDING)], unique=True),
            IndexModel([("category_id", ASCENDING), ("_id", ASCENDING)]),
            # By the words of a product; in the order of creation under each term.
            IndexModel([("search.terms", ASCENDING), ("status", ASCENDING), ("_id", ASCENDING)], name="by_term"),
        ]


def to_load(rows: IdentityMap[UUID, Product]) -> Load[UUID, Product]:
    """The prefetched products, for ``load_rows``: alone, for they can be large."""
    return rows, "products", read_product


async def save(tx: MongoTransaction, rows: IdentityMap[UUID, Product]) -> None:
    """Write the changed products; raise ``ConcurrentUpdate`` where one has another version by now."""
    writes: list[Any] = [InsertOne(product_document(product)) for product in rows.inserted]
    await write_rows(tx, "products", writes + [_replace(rows.original(one.id), one) for one in rows.updated])


def read_product(document: Any) -> tuple[UUID, Product]:
    """(id, product) of a document of ``products``."""
    return document["_id"], Product(
        document["_id"],
        document["name"],
        document["attributes"],
        tuple(_variant(part) for part in document["variants"]),
        document["version"],
        from_micros(document["changed_at"]),
        document.get("description", ""),
        document.get("category_id"),
        tuple(document.get("images", ())),
        document.get("status", "active"),
        from_micros(document["created_at"]) if "created_at" in document else None,
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
        "changed_at": to_micros(product.changed_at),
        "description": product.description,
        "category_id": product.category_id,
        "images": list(product.images),
        "status": product.status,
        **({"created_at": to_micros(product.created_at)} if product.created_at else {}),
        "search": {"terms": search_terms(product)},
    }


def _variant_part(variant: Variant) -> dict[str, Any]:
    return {
        "sku": variant.sku,
        "price": variant.price.model_dump(),
        "attributes": dict(variant.attributes),
        "images": list(variant.images),
        "status": variant.status,
    }


def _replace(before: Product | None, product: Product) -> ReplaceOne[dict[str, Any]]:
    assert before is not None
    return ReplaceOne({"_id": product.id, "version": before.version}, product_document(product))
