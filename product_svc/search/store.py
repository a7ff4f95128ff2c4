"""The collection ``offers``: what searches read, a document a variant, written in the transactions that change it.

A product that is saved replaces the offers of its variants that become different. A transaction that changes stock
writes an offer only where units become available, or no longer are: most orders write none. The flag cannot be wrong
after a crash, nor after two transactions at once: both would write the same offer, and one of them conflicts.

An offer of a variant that is for sale has its price and its attributes. One that is discontinued has neither, so that
no filter but its SKU finds it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar
from uuid import UUID

from beanie import Document
from pymongo import ASCENDING, IndexModel, InsertOne, ReplaceOne, UpdateOne

from chassis.persistence.mongo.transaction import MongoTransaction
from chassis.persistence.unit_of_work import IdentityMap
from product_svc.catalogue.domain import Product, Variant
from product_svc.catalogue.search_fields import facets
from product_svc.catalogue.words import sort_key
from product_svc.search.domain import EVERY, category_key
from product_svc.search.indexes import BY_NAME, BY_PRICE, BY_PRODUCT
from product_svc.stock.domain import Stock

_STATE = [("keys", ASCENDING), ("status", ASCENDING), ("available", ASCENDING)]


class OfferDocument(Document):
    """An offer; its id is the SKU. ``keys`` is what it is listed under, ``name`` what a list by name compares.

    ``first``: one of each product, for lists of products as such; ``alone``: whether no other is for sale.
    """

    id: str  # type: ignore[assignment]
    product_id: UUID
    status: str
    category_id: UUID | None
    name: str
    currency: str | None
    amount: int | None
    facets: list[str]
    keys: list[str]
    available: bool
    first: bool
    alone: bool

    class Settings:
        """Beanie's settings."""

        name = "offers"
        # One for each order of a list. Under a key, of a status, available or not, the offers are in that order.
        indexes: ClassVar = [
            IndexModel([*_STATE, ("first", ASCENDING), ("product_id", ASCENDING)], name=BY_PRODUCT),
            IndexModel([*_STATE, ("first", ASCENDING), ("name", ASCENDING), ("product_id", ASCENDING)], name=BY_NAME),
            IndexModel(
                [*_STATE, ("currency", ASCENDING), ("amount", ASCENDING), ("product_id", ASCENDING)], name=BY_PRICE
            ),
        ]


async def save(tx: MongoTransaction, products: IdentityMap[UUID, Product], stock: IdentityMap[str, Stock]) -> None:
    """Write the offers of changed products, and those that became available or no longer are."""
    writes: list[Any] = [InsertOne(offer) for product in products.inserted for offer in offers(product, stock.get)]
    changed = {variant.sku for product in products.changed for variant in product.variants}
    for product in products.updated:
        writes += _replacements(products.original(product.id), product, stock)
    for after in stock.updated:
        before = stock.original(after.sku)
        if after.sku not in changed and before and before.orderable != after.orderable:
            # It may be missing for a while in a database that is being migrated.
            writes.append(UpdateOne({"_id": after.sku}, {"$set": {"available": after.orderable}}))
    if writes:
        await tx.db.offers.bulk_write(writes, session=tx.session)


def offers(product: Product, stock: Callable[[str], Stock | None]) -> Iterator[dict[str, Any]]:
    """The documents of a product's offers; ``stock`` finds the stock of a SKU."""
    active = [variant for variant in product.variants if variant.status == "active"]
    first = (active or product.variants)[0]
    shared = {
        "product_id": product.id,
        "status": product.status,
        "category_id": product.category_id,
        "name": sort_key(product.name),
        "alone": len(active) <= 1,
    }
    for variant in product.variants:
        known = stock(variant.sku)
        listed = variant is first or variant.status == "active"
        yield {
            "_id": variant.sku,
            **shared,
            **(_for_sale(product, variant) if variant.status == "active" else _NOT_FOR_SALE),
            "keys": [*_everywhere(product), *_facets(product, variant)] if listed else [],
            "available": known is not None and known.orderable,
            "first": variant is first,
        }


_NOT_FOR_SALE: Mapping[str, Any] = {"currency": None, "amount": None, "facets": []}


def _for_sale(product: Product, variant: Variant) -> Mapping[str, Any]:
    price = variant.price
    return {"currency": price.currency, "amount": price.amount, "facets": _facets(product, variant)}


def _facets(product: Product, variant: Variant) -> list[str]:
    return facets({**product.attributes, **variant.attributes}) if variant.status == "active" else []


def _everywhere(product: Product) -> list[str]:
    return [EVERY, *([category_key(product.category_id)] if product.category_id else [])]


def _replacements(
    before: Product | None, after: Product, stock: IdentityMap[str, Stock]
) -> Iterator[ReplaceOne[dict[str, Any]]]:
    """The offers of a changed product that are different, as the database has its stock and as it becomes."""
    assert before is not None
    stored = {offer["_id"]: offer for offer in offers(before, stock.original)}
    for offer in offers(after, stock.get):
        if offer != stored.get(offer["_id"]):
            yield ReplaceOne({"_id": offer["_id"]}, offer, upsert=True)
