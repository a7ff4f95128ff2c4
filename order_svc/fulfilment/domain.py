"""How an order is shipped, and how what is left to ship is cancelled. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

from order_svc.orders.domain import Order
from order_svc.orders.lines import remaining, select_lines, total_of, without_prices
from order_svc.orders.parts import CancelledRemainder, Shipment
from order_svc.parcels.domain import Changes, ending
from schemas import OrderShipped, RemainderCancelled


def ship(
    order: Order,
    shipment_id: UUID,
    carrier: str,
    tracking_number: str,
    quantities: Mapping[str, int] | None,
    now: datetime,
) -> tuple[Order, OrderShipped]:
    """Ship quantities of SKUs, or all that is left and was not lost (None).

    Raise ``TransitionNotAllowed``, ``QuantityExceeded``.
    """
    order.require("ship")
    left = order.shippable
    selected = left if quantities is None else quantities
    order.require_left(selected, left)
    lines = select_lines(order.lines, selected)
    shipment = Shipment(shipment_id, carrier, tracking_number, without_prices(lines), order.time_of_change(now))
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
    cancelled = select_lines(order.lines, left)
    kept = select_lines(order.lines, remaining(order.lines, cancelled))
    at = order.time_of_change(now)
    remainder = CancelledRemainder(cancelled, total_of(cancelled), reason, note, at)
    after = order.transition(
        *("cancel_remainder", now), lines=kept, total=total_of(kept), cancelled_remainder=remainder, missing=None
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
