"""Reservations as documents."""

from typing import Any, Literal
from uuid import UUID

from beanie import Document
from pydantic import BaseModel, Field

from product_svc.reservations.domain import Amendment, Reservation
from product_svc.times import micros, moment
from schemas import Line, Shortage

ORDER_NOTE = "order "
"""What the note of a movement begins with that an order has caused; its id follows."""


class LinePart(BaseModel):
    """So many of one SKU."""

    sku: str
    quantity: int


class AmendmentPart(BaseModel):
    """The lines of a revision that is held beside."""

    revision: int
    lines: list[LinePart]


class ReservationDocument(Document):
    """What an order was promised; its id is the order's."""

    id: UUID  # type: ignore[assignment]
    state: Literal["held", "rejected", "released", "shipped"]
    lines: list[LinePart]
    version: int
    changed_at: int
    revision: int = 1
    asked: int = 1
    amendment: AmendmentPart | None = None
    shortages: list[dict[str, Any]] = Field(default_factory=list)

    class Settings:
        """Beanie's settings."""

        name = "reservations"


def reservation_of(document: Any) -> tuple[UUID, Reservation]:
    """(order, reservation) of a document of ``reservations``."""
    order_id, beside = document["_id"], document.get("amendment")
    return order_id, Reservation(
        order_id,
        document["state"],
        _lines(document["lines"]),
        document["version"],
        moment(document["changed_at"]),
        document.get("revision", 1),
        document.get("asked", 1),
        Amendment(beside["revision"], _lines(beside["lines"])) if beside else None,
        tuple(Shortage(**told) for told in document.get("shortages", ())),
    )


def reservation_document(reservation: Reservation) -> dict[str, Any]:
    """What is stored of a reservation. Most are never amended nor refused, and do without what belongs to that."""
    document: dict[str, Any] = {
        "_id": reservation.order_id,
        "state": reservation.state,
        "lines": _parts(reservation.lines),
        "version": reservation.version,
        "changed_at": micros(reservation.changed_at),
    }
    if (reservation.revision, reservation.asked, reservation.shortages) == (1, 1, ()):
        return document
    beside = reservation.amendment
    return document | {
        "revision": reservation.revision,
        "asked": reservation.asked,
        "amendment": {"revision": beside.revision, "lines": _parts(beside.lines)} if beside else None,
        # What was asked for may be more than a document can count.
        "shortages": [shortage.model_dump() for shortage in reservation.shortages if shortage.requested < 2**63],
    }


def held_line(document: Any) -> dict[str, Any]:
    """A line of the ledger about a reservation: ``lines`` of its revision, and all that is ``held``."""
    order_id, reservation = reservation_of(document)
    held = [{"sku": sku, "quantity": quantity} for sku, quantity in reservation.held.items()]
    return {
        "kind": "reservation",
        "order_id": order_id,
        "state": reservation.state,
        "lines": _parts(reservation.lines),
        "held": held,
        "revision": reservation.revision,
        "version": reservation.version,
        "changed_at": reservation.changed_at,
    }


def moved_for(reason: str, note: str) -> str | None:
    """The order that a movement belongs to; None for one of staff, who cannot give these reasons."""
    return note.removeprefix(ORDER_NOTE) if reason in ("shipment", "return") else None


def _lines(parts: Any) -> tuple[Line, ...]:
    return tuple(Line(sku=part["sku"], quantity=part["quantity"]) for part in parts)


def _parts(lines: tuple[Line, ...]) -> list[dict[str, Any]]:
    return [{"sku": line.sku, "quantity": line.quantity} for line in lines]
