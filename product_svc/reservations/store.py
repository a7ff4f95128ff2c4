"""The collection ``reservations``."""

from typing import Any, Literal
from uuid import UUID

from beanie import Document
from pydantic import BaseModel, Field
from pymongo import UpdateOne

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

    class Settings:
        """Beanie's settings."""

        name = "reservations"


def to_load(rows: IdentityMap[UUID, Reservation]) -> Load[UUID, Reservation]:
    """The prefetched reservations, for ``load_rows``."""
    return rows, "reservations", read_reservation


async def save(tx: MongoTransaction, rows: IdentityMap[UUID, Reservation]) -> None:
    """Write the new and the changed reservations."""
    documents = map(_document, rows.changed)
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
        Amendment(beside["revision"], _lines(beside["lines"])) if beside else None,
        tuple(Shortage(**shortage) for shortage in document.get("shortages", ())),
    )


def _document(reservation: Reservation) -> dict[str, Any]:
    document: dict[str, Any] = {
        "_id": reservation.order_id,
        "state": reservation.state,
        "lines": _parts(reservation.lines),
        "version": reservation.version,
        "changed_at": to_micros(reservation.changed_at),
    }
    # Most are never amended nor rejected, and are stored without the fields for that.
    if (reservation.revision, reservation.latest_revision, reservation.shortages) == (1, 1, ()):
        return document
    beside = reservation.amendment
    return document | {
        "revision": reservation.revision,
        "latest_revision": reservation.latest_revision,
        "amendment": {"revision": beside.revision, "lines": _parts(beside.lines)} if beside else None,
        # A requested quantity may be larger than MongoDB's integers.
        "shortages": [shortage.model_dump() for shortage in reservation.shortages if shortage.requested < 2**63],
    }


def _lines(parts: Any) -> tuple[Line, ...]:
    return tuple(Line(sku=part["sku"], quantity=part["quantity"]) for part in parts)


def _parts(lines: tuple[Line, ...]) -> list[dict[str, Any]]:
    return [{"sku": line.sku, "quantity": line.quantity} for line in lines]
