"""What can be read of the stock."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.database import Mongo
from chassis.persistence.mongo.snapshot import Document, Query
from chassis.persistence.mongo.times import from_micros
from product_svc.errors import SkuNotFound
from product_svc.stock.domain import ORDER_NOTE, ORDER_REASONS, Movement, Stock
from product_svc.stock.store import StockDocument, read_movement, read_stock


async def stock(sku: str) -> Stock:
    """The stock of a SKU; raise ``SkuNotFound``."""
    with translated():
        found = await StockDocument.get(sku)
    if found is None:
        raise SkuNotFound
    return read_stock(found.model_dump() | {"_id": found.id})[1]


async def visible_stock(database: Mongo, sku: str, *, drafts: bool) -> Stock:
    """The stock of a SKU; raise ``SkuNotFound``, without ``drafts`` also for the stock of a draft."""
    found = await stock(sku)
    if not drafts:
        # As in ``catalogue.queries``, on which stock does not depend.
        visible = {"variants.sku": sku, "status": {"$ne": "draft"}}
        with translated():
            if await database.db.products.find_one(visible, {"_id": 1}) is None:
                raise SkuNotFound
    return found


async def stocks(database: Mongo, skus: Sequence[str], after: str | None, limit: int) -> list[Stock]:
    """The stock of SKUs, of those that exist, or without any all that is low; by SKU, after one of them."""
    wanted: dict[str, Any] = {"_id": {"$in": list(skus)}} if skus else {"low": True}
    later = {"_id": {"$gt": after}} if after else {}
    with translated():
        found = await database.db.stock.find({"$and": [wanted, later]}).sort("_id").limit(limit).to_list()
    return [read_stock(document)[1] for document in found]


async def stock_by_sku(database: Mongo, skus: Collection[str]) -> dict[str, Stock]:
    """SKU → its stock, of those that exist: one query by the primary key, however many they are."""
    with translated():
        found = await database.db.stock.find({"_id": {"$in": list(skus)}}).to_list()
    return dict(map(read_stock, found))


async def movements(database: Mongo, sku: str, before: UUID | None, limit: int) -> list[Movement]:
    """The movements of a SKU, newest first, before one of them; raise ``SkuNotFound``."""
    await stock(sku)
    query: dict[str, Any] = {"sku": sku, **({"_id": {"$lt": before}} if before else {})}
    with translated():
        found = await database.db.movements.find(query).sort("_id", -1).limit(limit).to_list()
    return [read_movement(document) for document in found]


async def movements_of_order(database: Mongo, order_id: UUID) -> list[Movement]:
    """The movements that an order caused, the oldest first."""
    query = {"note": f"{ORDER_NOTE}{order_id}", "reason": {"$in": ORDER_REASONS}}
    with translated():
        found = await database.db.movements.find(query).sort("_id").to_list()
    return [read_movement(document) for document in found]


def _stock_line(document: Document) -> dict[str, Any]:
    numbers = {name: document[name] for name in ("on_hand", "reserved", "version")}
    changed_at, discontinued = from_micros(document["changed_at"]), document.get("discontinued", False)
    return {
        "kind": "stock",
        "sku": document["_id"],
        **numbers,
        "discontinued": discontinued,
        "changed_at": changed_at,
    }


def _movement_line(document: Document) -> dict[str, Any]:
    movement = read_movement(document)
    change = {"sku": movement.sku, "delta": movement.delta, "reason": movement.reason}
    return {"kind": "movement", **change, "order_id": movement.order_id}


STOCK_LEDGER = Query("stock", _stock_line)
MOVEMENT_LEDGER = Query("movements", _movement_line)
