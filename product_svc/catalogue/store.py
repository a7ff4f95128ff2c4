"""The collection ``products``.

Beside the product itself, its document holds ``search``: the same data, arranged for being found. It is written with
every change, and only the queries of ``search`` read it.
"""

from typing import Any, ClassVar
from uuid import UUID

from beanie import Document
from pydantic import BaseModel, Field
from pymongo import ASCENDING, TEXT, IndexModel, InsertOne, ReplaceOne

from chassis.persistence.mongo.rows import Load, write_rows
from chassis.persistence.mongo.times import from_micros, to_micros
from chassis.persistence.mongo.transaction import MongoTransaction
from chassis.persistence.unit_of_work import IdentityMap
from product_svc.catalogue.domain import Product, Variant
from product_svc.catalogue.search_fields import search_fields
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
                # Else an attribute called "language" would choose the language of the index.
                language_override="search_language",
            ),
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
        "search": search_fields(product),
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
