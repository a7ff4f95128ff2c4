"""What can be asked of the stock, and what the service has for the audit."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from chassis.http.examples import ID, MOMENT
from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.database import Mongo
from chassis.persistence.mongo.snapshot import Document, Query
from product_svc.catalogue.queries import SEEN
from product_svc.domain import Movement, Stock
from product_svc.errors import SkuUnknown
from product_svc.reservations.documents import held_line, moved_for
from product_svc.store import StockDocument, stock_of
from product_svc.times import moment


async def stock(sku: str) -> Stock:
    """The stock of one SKU; raise ``SkuUnknown``."""
    with translated():
        found = await StockDocument.get(sku)
    if found is None:
        raise SkuUnknown
    return stock_of(found.model_dump() | {"_id": found.id})[1]


async def stock_on_show(database: Mongo, sku: str, *, drafts: bool = False) -> Stock:
    """The stock of one SKU; raise ``SkuUnknown``, also for that of a draft without ``drafts``."""
    found = await stock(sku)
    if not drafts:
        with translated():
            if await database.db.products.find_one({"variants.sku": sku, **SEEN}, {"_id": 1}) is None:
                raise SkuUnknown
    return found


async def low_stock(database: Mongo, after: str | None, limit: int) -> list[Stock]:
    """The stock that is low, by SKU, after one of them."""
    query = {"low": True, **({"_id": {"$gt": after}} if after else {})}
    with translated():
        found = await database.db.stock.find(query).sort("_id").limit(limit).to_list()
    return [stock_of(document)[1] for document in found]


async def movements(database: Mongo, sku: str, before: UUID | None, limit: int) -> list[Movement]:
    """The movements of a SKU, newest first, before one of them; raise ``SkuUnknown``."""
    await stock(sku)
    query: dict[str, Any] = {"sku": sku, **({"_id": {"$lt": before}} if before else {})}
    with translated():
        found = await database.db.movements.find(query).sort("_id", -1).limit(limit).to_list()
    return [_moved(document) for document in found]


def _moved(document: Document) -> Movement:
    return Movement(
        document["sku"],
        document["delta"],
        document["reason"],
        moment(document["at"]),
        document.get("on_hand"),
        document.get("by"),
        document.get("note", ""),
        document["_id"],
    )


def _line(kind: str, key: str, *fields: str) -> Callable[[Document], dict[str, Any]]:
    def line(document: Document) -> dict[str, Any]:
        told = {name: document[name] for name in fields}
        return {"kind": kind, key: document["_id"], **told, "changed_at": moment(document["changed_at"])}

    return line


def _movement(document: Document) -> dict[str, Any]:
    told = {name: document[name] for name in ("sku", "delta", "reason")}
    return {"kind": "movement", **told, "order_id": moved_for(document["reason"], document.get("note", ""))}


LEDGER = (
    Query("products", _line("product", "id", "version")),
    Query("stock", _line("stock", "sku", "on_hand", "reserved", "version")),
    Query("reservations", held_line),
    Query("movements", _movement),
)
"""Everything, for the audit."""
LEDGER_LINE = {"kind": "product", "id": ID, "version": 1, "changed_at": MOMENT}
"""One of them, as it is told."""
