"""The collections ``stock`` and ``movements``."""

from typing import Any, ClassVar
from uuid import UUID

from beanie import Document
from pymongo import ASCENDING, IndexModel, InsertOne, UpdateOne
from uuid_utils.compat import uuid7

from chassis.persistence.mongo.rows import Load, write_rows
from chassis.persistence.mongo.times import from_micros, to_micros
from chassis.persistence.mongo.transaction import MongoTransaction
from chassis.persistence.unit_of_work import AppendOnly, IdentityMap
from product_svc.stock.domain import ORDER_NOTE, Movement, Stock

AFTER_ORDER_NOTES = "order!"
"""The first text after all that begin with ``ORDER_NOTE``."""


class StockDocument(Document):
    """The stock of one SKU, which is its id."""

    id: str  # type: ignore[assignment]
    on_hand: int
    reserved: int
    version: int
    changed_at: int
    threshold: int | None = None
    low: bool = False
    discontinued: bool = False
    product_name: str | None = None

    class Settings:
        """Beanie's settings."""

        name = "stock"
        # Partial, so that orders, which change stock all the time, do not write to it unless stock becomes low.
        indexes: ClassVar = [
            IndexModel([("low", ASCENDING), ("_id", ASCENDING)], partialFilterExpression={"low": True})
        ]


class MovementDocument(Document):
    """A change of the number on hand."""

    id: UUID  # type: ignore[assignment]
    sku: str
    delta: int
    reason: str
    at: int
    on_hand: int | None = None
    by: UUID | None = None
    note: str = ""

    class Settings:
        """Beanie's settings."""

        name = "movements"
        # Partial, so that only shipments and returns write to the index by order.
        indexes: ClassVar = [
            IndexModel([("sku", ASCENDING), ("_id", ASCENDING)]),
            IndexModel(
                [("note", ASCENDING)],
                partialFilterExpression={"note": {"$gte": ORDER_NOTE, "$lt": AFTER_ORDER_NOTES}},
            ),
        ]


def to_load(rows: IdentityMap[str, Stock]) -> Load[str, Stock]:
    """The prefetched stock, for ``load_rows``."""
    return rows, "stock", read_stock


async def save(tx: MongoTransaction, rows: IdentityMap[str, Stock]) -> None:
    """Write the changed stock; raise ``ConcurrentUpdate`` where it is not what the decisions were based on."""
    writes: list[Any] = [InsertOne(stock_document(stock)) for stock in rows.inserted]
    await write_rows(tx, "stock", writes + [_update(rows.original(stock.sku), stock) for stock in rows.updated])


async def save_movements(tx: MongoTransaction, movements: AppendOnly[Movement]) -> None:
    """Write the new movements."""
    await write_rows(tx, "movements", [InsertOne(_movement_document(movement)) for movement in movements.added])


def read_stock(document: Any) -> tuple[str, Stock]:
    """(SKU, stock) of a document of ``stock``."""
    sku, changed_at = document["_id"], from_micros(document["changed_at"])
    return sku, Stock(
        sku,
        document["on_hand"],
        document["reserved"],
        document["version"],
        changed_at,
        document.get("threshold"),
        document.get("low", False),
        document.get("discontinued", False),
        document.get("product_name"),
    )


def read_movement(document: Any) -> Movement:
    """A document of ``movements``."""
    return Movement(
        document["sku"],
        document["delta"],
        document["reason"],
        from_micros(document["at"]),
        document.get("on_hand"),
        document.get("by"),
        document.get("note", ""),
        document["_id"],
    )


def _update(before: Stock | None, stock: Stock) -> UpdateOne:
    assert before is not None
    added, reserved = stock.on_hand - before.on_hand, stock.reserved - before.reserved
    # The condition repeats what the decision was based on: no overselling, even if the decision was wrong.
    enough = {"$gte": [{"$subtract": ["$on_hand", "$reserved"]}, reserved - added]}
    changes: dict[str, Any] = {"version": stock.version, "changed_at": to_micros(stock.changed_at)}
    if (stock.threshold, stock.low) != (before.threshold, before.low):
        changes |= {"threshold": stock.threshold, "low": stock.low}
    if stock.discontinued != before.discontinued:
        changes["discontinued"] = stock.discontinued
    if stock.product_name != before.product_name:
        changes["product_name"] = stock.product_name
    return UpdateOne(
        {"_id": stock.sku, "version": before.version, "$expr": enough},
        {"$inc": {"on_hand": added, "reserved": reserved}, "$set": changes},
    )


def stock_document(stock: Stock) -> dict[str, Any]:
    """The document of the stock of a SKU."""
    return {
        "_id": stock.sku,
        "on_hand": stock.on_hand,
        "reserved": stock.reserved,
        "version": stock.version,
        "changed_at": to_micros(stock.changed_at),
        "threshold": stock.threshold,
        "low": stock.low,
        "discontinued": stock.discontinued,
        "product_name": stock.product_name,
    }


def _movement_document(movement: Movement) -> dict[str, Any]:
    return {
        "_id": uuid7(),
        "sku": movement.sku,
        "delta": movement.delta,
        "reason": movement.reason,
        "at": to_micros(movement.at),
        "on_hand": movement.on_hand,
        "by": movement.by,
        "note": movement.note,
    }
