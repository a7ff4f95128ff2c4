"""The collection ``reservations``."""

from typing import Any, ClassVar, Literal
from uuid import UUID

from beanie import Document
from pydantic import BaseModel, Field
from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne

from chassis.persistence.mongo.rows import Load, write_rows
from chassis.persistence.mongo.times import from_micros, to_micros
from chassis.persistence.mongo.transaction import MongoTransaction
from chassis.persistence.unit_of_work import IdentityMap
from product_svc.reservations.domain import Amendment, Reservation
from schemas import Line, Shortage


class LinePart(BaseModel):
    """A quantity of one SKU."""

    sku: str
    quantity: int


class AmendmentPart(BaseModel):
    """The lines of a revision that is held beside the current one."""

    revision: int
    lines: list[LinePart]
    lost: list[LinePart] = Field(default_factory=list)


class ReservationDocument(Document):
    """What is reserved for an order; its id is the order's."""

    id: UUID  # type: ignore[assignment]
    state: Literal["held", "rejected", "released", "shipped"]
    lines: list[LinePart]
    version: int
    changed_at: int
    revision: int = 1
    latest_revision: int = 1
    amendment: AmendmentPart | None = None
    shortages: list[dict[str, Any]] = Field(default_factory=list)
    lost: list[LinePart] = Field(default_factory=list)

    class Settings:
        """Beanie's settings."""

        name = "reservations"
        # Partial: what is shipped or released, which most orders are, is not in them.
        indexes: ClassVar = [
            IndexModel([("lines.sku", ASCENDING), ("_id", DESCENDING)], partialFilterExpression={"state": "held"}),
            IndexModel(
                [("amendment.lines.sku", ASCENDING), ("_id", DESCENDING)],
                partialFilterExpression={"amendment.revision": {"$gt": 0}},
            ),
        ]


def to_load(rows: IdentityMap[UUID, Reservation]) -> Load[UUID, Reservation]:
    """The prefetched reservations, for ``load_rows``."""
    return rows, "reservations", read_reservation


async def holders(tx: MongoTransaction, sku: str, most: int) -> list[UUID]:
    """The newest orders that hold units of a SKU, so many at most."""
    found: set[UUID] = set()
    conditions: list[dict[str, Any]] = [
        {"lines.sku": sku, "state": "held"},
        {"amendment.lines.sku": sku, "amendment.revision": {"$gt": 0}},
    ]
    for condition in conditions:
        newest = tx.db.reservations.find(condition, {"_id": 1}, session=tx.session).sort("_id", -1).limit(most)
        found |= {document["_id"] for document in await newest.to_list()}
    return sorted(found, reverse=True)[:most]


async def save(tx: MongoTransaction, rows: IdentityMap[UUID, Reservation]) -> None:
    """Write the new and the changed reservations."""
    documents = [_document(one, rows.original(one.order_id)) for one in rows.changed]
    writes = [UpdateOne({"_id": document["_id"]}, {"$set": document}, upsert=True) for document in documents]
    await write_rows(tx, "reservations", writes)


def read_reservation(document: Any) -> tuple[UUID, Reservation]:
    """(order, reservation) of a document of ``reservations``."""
    order_id, beside = document["_id"], document.get("amendment")
    return order_id, Reservation(
        order_id,
        document["state"],
        _lines(document["lines"]),
        document["version"],
        from_micros(document["changed_at"]),
        document.get("revision", 1),
        document.get("latest_revision", 1),
        Amendment(beside["revision"], _lines(beside["lines"]), _lines(beside.get("lost", ()))) if beside else None,
        tuple(Shortage(**shortage) for shortage in document.get("shortages", ())),
        _lines(document.get("lost", ())),
    )


def _document(reservation: Reservation, before: Reservation | None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "_id": reservation.order_id,
        "state": reservation.state,
        "lines": _parts(reservation.lines),
        "version": reservation.version,
        "changed_at": to_micros(reservation.changed_at),
    }
    if reservation.lost or (before and before.lost):
        document["lost"] = _parts(reservation.lost)
    # Most are never amended nor rejected, and are stored without the fields for that.
    if (reservation.revision, reservation.latest_revision, reservation.shortages) == (1, 1, ()):
        return document
    beside = reservation.amendment
    return document | {
        "revision": reservation.revision,
        "latest_revision": reservation.latest_revision,
        "amendment": _amendment_part(beside) if beside else None,
        # A requested quantity may be larger than MongoDB's integers.
        "shortages": [shortage.model_dump() for shortage in reservation.shortages if shortage.requested < 2**63],
    }


def _amendment_part(beside: Amendment) -> dict[str, Any]:
    return {"revision": beside.revision, "lines": _parts(beside.lines), "lost": _parts(beside.lost)}


def _lines(parts: Any) -> tuple[Line, ...]:
    return tuple(Line(sku=part["sku"], quantity=part["quantity"]) for part in parts)


def _parts(lines: tuple[Line, ...]) -> list[dict[str, Any]]:
    return [{"sku": line.sku, "quantity": line.quantity} for line in lines]
