"""The collections of product_svc, and how products, stock and reservations get in and out of them.

Documents are defined with Beanie, which reads them for the queries and keeps their indexes. The batches of
a transaction go through the driver: one read and one bulk write a collection, however many they are.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from beanie import Document, init_beanie
from pymongo import ASCENDING, IndexModel, InsertOne, UpdateOne
from uuid_utils.compat import uuid7

from chassis.persistence.errors import ConcurrentUpdate
from chassis.persistence.mongo.database import Mongo
from chassis.persistence.mongo.transaction import MongoTransaction
from chassis.persistence.unit_of_work import AppendOnly, IdentityMap, UnitOfWork
from product_svc import SERVICE
from product_svc.answers import Answered, AnsweredDocument, answered_of, answered_writes
from product_svc.bulk.documents import FaultDocument, ImportDocument, fault_writes, import_of, import_writes
from product_svc.bulk.domain import Fault, Import
from product_svc.catalogue.documents import (
    CategoryDocument,
    ProductDocument,
    category_of,
    category_writes,
    product_of,
    product_writes,
    tree_writes,
)
from product_svc.catalogue.domain import Category, Product
from product_svc.domain import Movement, Stock
from product_svc.reservations.documents import ReservationDocument, reservation_document, reservation_of
from product_svc.reservations.domain import Reservation
from product_svc.threshold import crossed
from product_svc.times import micros as _micros
from product_svc.times import moment


class StockDocument(Document):
    """The stock of one SKU, which is its id."""

    id: str  # type: ignore[assignment]
    on_hand: int
    reserved: int
    version: int
    changed_at: int
    low_at: int | None = None
    low: bool = False
    discontinued: bool = False

    class Settings:
        """Beanie's settings."""

        name = "stock"
        # Only those that are low are in it: orders, which change stock all the time, do not touch it otherwise.
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
        indexes: ClassVar = [IndexModel([("sku", ASCENDING), ("_id", ASCENDING)])]


DOCUMENTS = (
    *(CategoryDocument, ProductDocument, StockDocument, ReservationDocument, MovementDocument),
    *(ImportDocument, FaultDocument, AnsweredDocument),
)
COLLECTIONS = (
    *("categories", "category_tree", "products", "stock", "reservations", "movements", "imports", "import_faults"),
    "idempotency_keys",
)


async def open_documents(mongo: Mongo, *, indexes: bool = False) -> None:
    """Connect the documents to a database; with ``indexes``, make the collections and indexes too."""
    await init_beanie(mongo.db, document_models=list(DOCUMENTS), skip_indexes=not indexes)


class Warehouse(UnitOfWork):
    """The categories, products, stock and reservations of one transaction."""

    source = SERVICE

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.categories: IdentityMap[UUID, Category] = IdentityMap(self)
        self.products: IdentityMap[UUID, Product] = IdentityMap(self)
        self.stock: IdentityMap[str, Stock] = IdentityMap(self)
        self.reservations: IdentityMap[UUID, Reservation] = IdentityMap(self)
        self.movements: AppendOnly[Movement] = AppendOnly(self)
        self.imports: IdentityMap[UUID, Import] = IdentityMap(self)
        self.import_faults: AppendOnly[Fault] = AppendOnly(self)
        self.answered: IdentityMap[UUID, Answered] = IdentityMap(self)

    async def load(self, tx: MongoTransaction) -> None:
        """Load every wanted document as of one moment; who changes it meanwhile makes this conflict."""
        await _hold(tx, (self.products, "products", product_of))
        # Which of its variants are for sale is noted at their stock, where reservations look.
        self.stock.prefetch(*(variant.sku for product in self.products.present for variant in product.variants))
        stock = self.stock, "stock", stock_of
        await _hold(tx, (self.reservations, "reservations", reservation_of), stock)
        # To release, an order's own lines are wanted, which only its reservation knows.
        for held in self.reservations.present:
            self.stock.prefetch(*held.held)
        await _hold(tx, stock)
        self.categories.prefetch(*(product.category_id for product in self.products.present if product.category_id))
        await _hold(tx, (self.imports, "imports", import_of))
        await _hold(tx, (self.answered, "idempotency_keys", answered_of))
        while self.categories.missing:
            await _hold(tx, (self.categories, "categories", category_of))
            self.categories.prefetch(*(above.parent_id for above in self.categories.present if above.parent_id))

    async def save(self, tx: MongoTransaction) -> None:
        """Write every changed document; raise ``ConcurrentUpdate`` where stock is not what the decisions saw."""
        self._tell_low()
        await _write(tx, "category_tree", tree_writes(self.categories))
        await _write(tx, "categories", category_writes(self.categories))
        await _write(tx, "products", product_writes(self.products))
        await _write(tx, "stock", self._stock_writes())
        await _write(tx, "reservations", [_upsert(reservation_document(r)) for r in self.reservations.changed])
        await _write(tx, "imports", import_writes(self.imports))
        await _write(tx, "import_faults", fault_writes(self.import_faults))
        await _write(tx, "idempotency_keys", answered_writes(self.answered))
        await _write(tx, "movements", [InsertOne(_movement_document(m)) for m in self.movements.added])

    def _tell_low(self) -> None:
        """Tell of stock that this transaction has made low, whatever it was that took the pieces."""
        for stock in self.stock.changed:
            if turned := crossed(stock, self.now):
                after, event = turned
                self.stock.set(after.sku, after)
                if event:
                    # Many events of the transaction may have taken some: none of them is the cause.
                    self.cause = self.trace = None
                    self.emit(event, after.version, after.changed_at)

    def _stock_writes(self) -> list[Any]:
        writes: list[Any] = [InsertOne(_stock_document(stock)) for stock in self.stock.inserted]
        for stock in self.stock.updated:
            before = self.stock.original(stock.sku)
            assert before is not None
            added, promised = stock.on_hand - before.on_hand, stock.reserved - before.reserved
            # What the decision rests on stands in the condition: no oversell, even if we were wrong.
            enough = {"$gte": [{"$subtract": ["$on_hand", "$reserved"]}, promised - added]}
            change: dict[str, Any] = {
                "$inc": {"on_hand": added, "reserved": promised},
                "$set": {"version": stock.version, "changed_at": _micros(stock.changed_at)},
            }
            if (stock.low_at, stock.low) != (before.low_at, before.low):
                change["$set"] |= {"low_at": stock.low_at, "low": stock.low}
            if stock.discontinued != before.discontinued:
                change["$set"]["discontinued"] = stock.discontinued
            writes.append(UpdateOne({"_id": stock.sku, "version": before.version, "$expr": enough}, change))
        return writes


async def _hold(
    tx: MongoTransaction, *kinds: tuple[IdentityMap[Any, Any], str, Callable[[Any], tuple[Any, Any]]]
) -> None:
    """Load what is wanted of each kind, all with one question."""
    asked = [
        (rows, tx.find(collection, {"_id": {"$in": wanted}}), read)
        for rows, collection, read in kinds
        if (wanted := rows.missing)
    ]
    for rows, found, read in asked:
        rows.fill(dict([read(document) for document in await found.documents()]))


async def _write(tx: MongoTransaction, collection: str, writes: Sequence[Any]) -> None:
    if not writes:
        return
    done = await tx.db[collection].bulk_write(writes, session=tx.session)
    if done.inserted_count + done.matched_count + done.upserted_count + done.deleted_count != len(writes):
        raise ConcurrentUpdate(f"{collection}: not as it was read")


def _upsert(document: dict[str, Any]) -> UpdateOne:
    return UpdateOne({"_id": document["_id"]}, {"$set": document}, upsert=True)


def stock_of(document: Any) -> tuple[str, Stock]:
    """(SKU, stock) of a document of ``stock``."""
    sku, changed_at = document["_id"], moment(document["changed_at"])
    watch = document.get("low_at"), document.get("low", False), document.get("discontinued", False)
    return sku, Stock(sku, document["on_hand"], document["reserved"], document["version"], changed_at, *watch)


def _stock_document(stock: Stock) -> dict[str, Any]:
    return {
        "_id": stock.sku,
        "on_hand": stock.on_hand,
        "reserved": stock.reserved,
        "version": stock.version,
        "changed_at": _micros(stock.changed_at),
        "low_at": stock.low_at,
        "low": stock.low,
        "discontinued": stock.discontinued,
    }


def _movement_document(movement: Movement) -> dict[str, Any]:
    return {
        "_id": uuid7(),
        "sku": movement.sku,
        "delta": movement.delta,
        "reason": movement.reason,
        "at": _micros(movement.at),
        "on_hand": movement.on_hand,
        "by": movement.by,
        "note": movement.note,
    }
