"""An order as a row of its table, and back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.persistence.postgres.rows import Row
from order_svc.domain import Order
from order_svc.parts import Amendment, Return, Shipment
from schemas import Address, Line, Money, PricedLine, Shortage

PLACED = (
    *("id", "customer_id", "state", "lines", "total", "currency", "shipping_address", "shortages", "reason"),
    *("version", "placed_at", "changed_at", "billing_address", "notes"),
)
"""The columns of an order that was placed just now; the others have their defaults."""
MOVED = ("state", "shortages", "reason", "version", "changed_at")
"""The columns that every move changes."""
RESHAPED = (
    *("lines", "total", "currency", "shipping_address", "billing_address", "note", "revision", "last_revision"),
    *("asked", "reminded", "amendment", "shipments", "returns"),
)
"""The columns that some moves change as well: amendments, shipments, returns, a note."""

_SHAPE = (
    *("lines", "shipping_address", "billing_address", "note", "revision", "asked", "amendment", "shipments"),
    "returns",
)


def reshaped(order: Order, before: Order) -> bool:
    """Whether an order differs in ``RESHAPED``. Moves keep the values that they do not change."""
    return any(getattr(order, name) is not getattr(before, name) for name in _SHAPE)


def order_of(row: Any) -> Order:
    """A row of ``orders`` as the domain sees it."""
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
        notes=row.notes,
        note=row.note,
        revision=row.revision,
        last_revision=row.last_revision,
        asked=row.asked,
        reminded=row.reminded,
        amendment=row.amendment and _amendment(row.amendment),
        shipments=tuple(_shipment(one) for one in row.shipments),
        returns=tuple(_return(one) for one in row.returns),
    )


def placed_row(order: Order) -> Row:
    """``PLACED`` of an order."""
    return {
        **moved_row(order),
        "customer_id": order.customer_id,
        "lines": _dumped(order.lines),
        "total": order.total.amount,
        "currency": order.total.currency,
        "shipping_address": order.shipping_address.model_dump(),
        "placed_at": order.placed_at,
        "billing_address": order.billing_address and order.billing_address.model_dump(),
        "notes": order.notes,
    }


def moved_row(order: Order) -> Row:
    """``MOVED`` of an order, with its id."""
    return {
        "id": order.id,
        "state": order.state,
        "shortages": _dumped(order.shortages),
        "reason": order.reason,
        "version": order.version,
        "changed_at": order.changed_at,
    }


def whole_row(order: Order) -> Row:
    """All of an order."""
    return {
        **placed_row(order),
        "note": order.note,
        "revision": order.revision,
        "last_revision": order.last_revision,
        "asked": order.asked,
        "reminded": order.reminded,
        "amendment": order.amendment and _amendment_row(order.amendment),
        "shipments": [_shipment_row(shipment) for shipment in order.shipments],
        "returns": [_return_row(back) for back in order.returns],
    }


def _dumped(values: Sequence[Line | Shortage]) -> list[dict[str, Any]]:
    return [value.model_dump() for value in values]


def _priced(lines: Any) -> tuple[PricedLine, ...]:
    return tuple(PricedLine.model_validate(line) for line in lines)


def _plain(lines: Any) -> tuple[Line, ...]:
    return tuple(Line.model_validate(line) for line in lines)


def _amendment(told: Any) -> Amendment:
    return Amendment(
        revision=told["revision"],
        lines=_priced(told["lines"]),
        total=Money.model_validate(told["total"]),
        shipping_address=Address.model_validate(told["shipping_address"]),
        billing_address=told["billing_address"] and Address.model_validate(told["billing_address"]),
        alone=told["alone"],
    )


def _amendment_row(amendment: Amendment) -> Row:
    return {
        "revision": amendment.revision,
        "lines": _dumped(amendment.lines),
        "total": amendment.total.model_dump(),
        "shipping_address": amendment.shipping_address.model_dump(),
        "billing_address": amendment.billing_address and amendment.billing_address.model_dump(),
        "alone": amendment.alone,
    }


def _shipment(told: Any) -> Shipment:
    at = datetime.fromisoformat(told["at"])
    return Shipment(UUID(told["id"]), told["carrier"], told["tracking_number"], _plain(told["lines"]), at)


def _shipment_row(shipment: Shipment) -> Row:
    return {
        "id": shipment.id,
        "carrier": shipment.carrier,
        "tracking_number": shipment.tracking_number,
        "lines": _dumped(shipment.lines),
        "at": shipment.at,
    }


def _return(told: Any) -> Return:
    refund, at = Money.model_validate(told["refund"]), datetime.fromisoformat(told["at"])
    return Return(UUID(told["id"]), _plain(told["lines"]), refund, told["reason"], at)


def _return_row(back: Return) -> Row:
    return {
        "id": back.id,
        "lines": _dumped(back.lines),
        "refund": back.refund.model_dump(),
        "reason": back.reason,
        "at": back.at,
    }
