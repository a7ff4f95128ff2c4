"""How an order is shipped, and how what is left to ship is cancelled. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from order_svc.errors import QuantityExceeded
from order_svc.orders.domain import Order
from order_svc.orders.lines import select_lines, total_of, without_prices
from order_svc.orders.parts import CancelledRemainder, Shipment
from order_svc.parcels.domain import Changes, ending
from schemas import OrderShipped, PricedLine, RemainderCancelled


def ship(
    order: Order,
    shipment_id: UUID,
    carrier: str,
    tracking_number: str,
    quantities: Mapping[str, int] | None,
    now: datetime,
) -> tuple[Order, OrderShipped]:
    """Ship quantities of SKUs, or all that is left (None); raise ``TransitionNotAllowed``, ``QuantityExceeded``."""
    order.require("ship")
    lines = _select(order, quantities, order.unshipped)
    shipment = Shipment(shipment_id, carrier, tracking_number, without_prices(lines), max(now, order.changed_at))
    shipped = order.transition("ship", now, shipments=(*order.shipments, shipment))
    return shipped, OrderShipped(
        order_id=order.id,
        customer_id=order.customer_id,
        revision=order.revision,
        shipment_id=shipment_id,
        carrier=carrier,
        tracking_number=tracking_number,
        lines=lines,
        complete=not shipped.unshipped,
        shipping_address=order.shipping_address,
    )


def cancel_remainder(order: Order, reason: Literal["customer", "staff"], note: str | None, now: datetime) -> Changes:
    """Ship no more than what is shipped already: the order is only that from now on, and ends if no parcel is left.

    Raise ``TransitionNotAllowed``, also where nothing is left to ship.
    """
    order.require("cancel_remainder")
    left = order.unshipped
    cancelled, kept = _select(order, left, left), _without(order.lines, left)
    at = max(now, order.changed_at)
    remainder = CancelledRemainder(cancelled, total_of(cancelled), reason, note, at)
    after = order.transition(
        *("cancel_remainder", now), lines=kept, total=total_of(kept), cancelled_remainder=remainder
    )
    event = RemainderCancelled(
        order_id=order.id,
        customer_id=order.customer_id,
        revision=order.revision,
        reason=reason,
        note=note,
        lines=cancelled,
        amount=remainder.amount,
        total=after.total,
    )
    return [(after, event), *ending(after, now)]


def _select(order: Order, quantities: Mapping[str, int] | None, left: Mapping[str, int]) -> tuple[PricedLine, ...]:
    selected = left if quantities is None else quantities
    if any(quantity > left.get(sku, 0) for sku, quantity in selected.items()):
        raise QuantityExceeded(left=dict(left), state=order.state, allowed=order.allowed_actions)
    return select_lines(order.lines, selected)


def _without(lines: Sequence[PricedLine], left: Mapping[str, int]) -> tuple[PricedLine, ...]:
    """Lines without these quantities of SKUs; only what is more than zero."""
    return tuple(
        line.model_copy(update={"quantity": number})
        for line in lines
        if (number := line.quantity - left.get(line.sku, 0)) > 0
    )
