"""Products get the terms of their words and the time of their creation, variants offers, stock a product's name.

The fields and indexes of searches before it stay for processes of 0.2.0, which may work beside it; a later version
drops them. Such processes change stock without the offers, and names alone: run this again when they have ended
(``python -m product_svc.migrations --again m005_offers``).
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pymongo import ReplaceOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from chassis.persistence.mongo.times import to_micros
from product_svc.catalogue.search_fields import search_terms
from product_svc.catalogue.store import read_product
from product_svc.search.store import offers
from product_svc.stock.store import read_stock

CHUNK = 20


async def upgrade(db: AsyncDatabase[Any]) -> None:
    after: UUID | None = None
    async with db.client.start_session() as session:
        while True:
            after = await session.with_transaction(lambda tx, at=after: _chunk(db, tx, at))  # type: ignore[misc]
            if after is None:
                break


async def _chunk(db: AsyncDatabase[Any], tx: AsyncClientSession, after: UUID | None) -> UUID | None:
    """Migrate the products after one; a change of one of them, of their stock or of their offers conflicts."""
    later = {"_id": {"$gt": after}} if after else {}
    found = await db.products.find(later, session=tx).sort("_id").limit(CHUNK).to_list()
    if not found:
        return None
    products = [read_product(document)[1] for document in found]
    skus = [variant.sku for product in products for variant in product.variants]
    stock = dict(map(read_stock, await db.stock.find({"_id": {"$in": skus}}, session=tx).to_list()))
    changes: list[Any] = [UpdateOne({"_id": one["_id"]}, {"$set": _fields(one)}) for one in found]
    await db.products.bulk_write(changes, session=tx)
    made = [offer for product in products for offer in offers(product, stock.get)]
    named = [
        UpdateOne({"_id": one.sku}, {"$set": {"product_name": of.name}}) for of in products for one in of.variants
    ]
    await db.stock.bulk_write(named, session=tx)
    replaced: list[Any] = [ReplaceOne({"_id": offer["_id"]}, offer, upsert=True) for offer in made]
    await db.offers.bulk_write(replaced, session=tx)
    return products[-1].id


def _fields(document: dict[str, Any]) -> dict[str, Any]:
    product = read_product(document)[1]
    return {
        "search.terms": search_terms(product),
        "created_at": document.get("created_at") or _created(product.id) or document["changed_at"],
        "status": product.status,
    }


def _created(product_id: UUID) -> int | None:
    """The time in an id, which is a UUIDv7 unless an import gave another one."""
    if product_id.version != 7:
        return None
    return to_micros(datetime.fromtimestamp((product_id.int >> 80) / 1000, UTC))
