"""An order as a row of its table, and back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.persistence.postgres.rows import Row
from order_svc.orders.domain import Order, State
from order_svc.orders.parts import Amendment, CancelledRemainder, Missing, Return, ReturnRequest, Shipment
from schemas import Address, Line, Money, PricedLine, Shortage

PLACED = (
    *("id", "customer_id", "state", "lines", "total", "currency", "shipping_address", "shortages", "reason"),
    *("version", "placed_at", "changed_at", "billing_address", "customer_notes"),
)
"""The columns of an order that was just placed; the others have their defaults."""
STATE = ("state", "shortages", "reason", "version", "changed_at")
"""The columns that every transition changes."""
CONTENT = (
    *("lines", "total", "currency", "shipping_address", "billing_address", "cancellation_note"),
    *("revision", "last_revision", "reservation_attempts", "retried", "amendment", "shipments", "returns"),
    *("cancelled_remainder", "return_requests", "missing"),
)
"""The columns that only some transitions change: amendments, shipments, cancellations, returns."""

_CONTENT_FIELDS = (
    *("lines", "shipping_address", "billing_address", "cancellation_note", "revision", "reservation_attempts"),
    *("amendment", "shipments", "returns", "cancelled_remainder", "return_requests", "missing"),
)


def content_changed(order: Order, before: Order) -> bool:
    """Whether an order differs in ``CONTENT``. Transitions keep the very objects that they do not change."""
    return any(getattr(order, name) is not getattr(before, name) for name in _CONTENT_FIELDS)


def order_from(row: Any) -> Order:
    """The order in a row of the table."""
    return Order(
        id=row.id,
        customer_id=row.customer_id,
        state=row.state,
        lines=_priced(row.lines),
        total=Money(amount=row.total, currency=row.currency),
        shipping_address=Address.model_validate(row.shipping_address),
        shortages=tuple(Shortage.model_validate(shortage) for shortage in row.shortages),
        reason=row.reason,
        version=row.version,
        placed_at=row.placed_at,
        changed_at=row.changed_at,
        billing_address=row.billing_address and Address.model_validate(row.billing_address),
        customer_notes=row.customer_notes,
        cancellation_note=row.cancellation_note,
        revision=row.revision,
        last_revision=row.last_revision,
        reservation_attempts=row.reservation_attempts,
        retried=row.retried,
        amendment=row.amendment and _amendment(row.amendment),
        shipments=tuple(_shipment(shipment, row.state) for shipment in row.shipments),
        returns=tuple(_return(returned) for returned in row.returns),
        return_requests=tuple(_request(request) for request in row.return_requests),
        cancelled_remainder=row.cancelled_remainder and _remainder(row.cancelled_remainder),
        missing=row.missing and _missing(row.missing),
    )


def placed_row(order: Order) -> Row:
    """``PLACED`` of an order."""
    return {
        **state_row(order),
        "customer_id": order.customer_id,
        "lines": _dumped(order.lines),
        "total": order.total.amount,
        "currency": order.total.currency,
        "shipping_address": order.shipping_address.model_dump(),
        "placed_at": order.placed_at,
        "billing_address": order.billing_address and order.billing_address.model_dump(),
        "customer_notes": order.customer_notes,
    }


def state_row(order: Order) -> Row:
    """``STATE`` of an order, with its id."""
    return {
        "id": order.id,
        "state": order.state,
        "shortages": _dumped(order.shortages),
        "reason": order.reason,
        "version": order.version,
        "changed_at": order.changed_at,
    }


def full_row(order: Order) -> Row:
    """All columns of an order."""
    return {
        **placed_row(order),
        "cancellation_note": order.cancellation_note,
        "revision": order.revision,
        "last_revision": order.last_revision,
        "reservation_attempts": order.reservation_attempts,
        "retried": order.retried,
        "amendment": order.amendment and _amendment_row(order.amendment),
        "shipments": [_shipment_row(shipment) for shipment in order.shipments],
        "returns": [_return_row(returned) for returned in order.returns],
        "return_requests": [_request_row(request) for request in order.return_requests],
        "cancelled_remainder": order.cancelled_remainder and _remainder_row(order.cancelled_remainder),
        "missing": order.missing and _missing_row(order.missing),
    }


def _dumped(values: Sequence[Line | Shortage]) -> list[dict[str, Any]]:
    return [value.model_dump() for value in values]


def _priced(lines: Any) -> tuple[PricedLine, ...]:
    return tuple(PricedLine.model_validate(line) for line in lines)


def _plain(lines: Any) -> tuple[Line, ...]:
    return tuple(Line.model_validate(line) for line in lines)


def _amendment(stored: Any) -> Amendment:
    return Amendment(
        revision=stored["revision"],
        lines=_priced(stored["lines"]),
        total=Money.model_validate(stored["total"]),
        shipping_address=Address.model_validate(stored["shipping_address"]),
        billing_address=stored["billing_address"] and Address.model_validate(stored["billing_address"]),
        original_rejected=stored["original_rejected"],
        missing=_missing(stored["missing"]) if stored.get("missing") else None,
    )


def _amendment_row(amendment: Amendment) -> Row:
    return {
        "revision": amendment.revision,
        "lines": _dumped(amendment.lines),
        "total": amendment.total.model_dump(),
        "shipping_address": amendment.shipping_address.model_dump(),
        "billing_address": amendment.billing_address and amendment.billing_address.model_dump(),
        "original_rejected": amendment.original_rejected,
        "missing": amendment.missing and _missing_row(amendment.missing),
    }


def _missing(stored: Any) -> Missing:
    return Missing(_plain(stored["lines"]), stored["version"], datetime.fromisoformat(stored["at"]))


def _missing_row(missing: Missing) -> Row:
    return {"lines": _dumped(missing.lines), "version": missing.version, "at": missing.at}


def _shipment(stored: Any, state: State) -> Shipment:
    # Parcels from before they had a status were delivered together with their order.
    status = stored.get("status", "delivered" if state == "DELIVERED" else "in_transit")
    changed_at, refund = stored.get("changed_at"), stored.get("refund")
    return Shipment(
        id=UUID(stored["id"]),
        carrier=stored["carrier"],
        tracking_number=stored["tracking_number"],
        lines=_plain(stored["lines"]),
        at=datetime.fromisoformat(stored["at"]),
        status=status,
        changed_at=changed_at and datetime.fromisoformat(changed_at),
        failure_reason=stored.get("failure_reason"),
        refund=refund and Money.model_validate(refund),
    )


def _shipment_row(shipment: Shipment) -> Row:
    return {
        "id": shipment.id,
        "carrier": shipment.carrier,
        "tracking_number": shipment.tracking_number,
        "lines": _dumped(shipment.lines),
        "at": shipment.at,
        "status": shipment.status,
        "changed_at": shipment.changed_at,
        "failure_reason": shipment.failure_reason,
        "refund": shipment.refund and shipment.refund.model_dump(),
    }


def _remainder(stored: Any) -> CancelledRemainder:
    return CancelledRemainder(
        lines=_priced(stored["lines"]),
        amount=Money.model_validate(stored["amount"]),
        reason=stored["reason"],
        note=stored["note"],
        at=datetime.fromisoformat(stored["at"]),
    )


def _remainder_row(remainder: CancelledRemainder) -> Row:
    return {
        "lines": _dumped(remainder.lines),
        "amount": remainder.amount.model_dump(),
        "reason": remainder.reason,
        "note": remainder.note,
        "at": remainder.at,
    }


def _return(stored: Any) -> Return:
    refund, at, shipment_id = stored["refund"], stored["at"], stored.get("shipment_id")
    return Return(
        id=UUID(stored["id"]),
        lines=_plain(stored["lines"]),
        refund=Money.model_validate(refund),
        reason=stored["reason"],
        at=datetime.fromisoformat(at),
        shipment_id=shipment_id and UUID(shipment_id),
        scrapped=_plain(stored.get("scrapped", ())),
    )


def _return_row(returned: Return) -> Row:
    return {
        "id": returned.id,
        "lines": _dumped(returned.lines),
        "refund": returned.refund.model_dump(),
        "reason": returned.reason,
        "at": returned.at,
        "shipment_id": returned.shipment_id,
        "scrapped": _dumped(returned.scrapped),
    }


def _request(stored: Any) -> ReturnRequest:
    at, changed_at = (datetime.fromisoformat(stored[name]) for name in ("at", "changed_at"))
    lines, status = _plain(stored["lines"]), stored["status"]
    return ReturnRequest(UUID(stored["id"]), lines, stored["reason"], status, stored["note"], at, changed_at)


def _request_row(request: ReturnRequest) -> Row:
    return {
        "id": request.id,
        "lines": _dumped(request.lines),
        "reason": request.reason,
        "status": request.status,
        "note": request.note,
        "at": request.at,
        "changed_at": request.changed_at,
    }
