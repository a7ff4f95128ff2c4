"""What becomes of the parcels of an order, and how the order ends with the last of them. Pure.

A parcel is in transit until it is delivered or fails; one that failed may come back. When nothing of an order is in
transit or left to ship, the order ends: DELIVERED if a parcel arrived, otherwise UNDELIVERED.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from order_svc.errors import ShipmentNotFound, TransitionNotAllowed
from order_svc.orders.domain import Order
from order_svc.orders.lines import plain_lines, quantities_of, select_lines, total_of
from order_svc.orders.parts import FailureReason, Return, Shipment, ShipmentStatus
from schemas import (
    Event,
    Money,
    OrderDelivered,
    OrderUndelivered,
    ParcelDelivered,
    ParcelFailed,
    ParcelReturned,
    TrackingCorrected,
)

Changes = Sequence[tuple[Order, Event]]
"""An order after each of its changes, with the event to publish."""


def correct_tracking(
    order: Order, shipment_id: UUID, correction_id: UUID, carrier: str, tracking_number: str, now: datetime
) -> tuple[Order, TrackingCorrected] | None:
    """Replace the carrier and the tracking number of a parcel in transit; None if they are these already.

    Raise ``ShipmentNotFound``, ``TransitionNotAllowed``.
    """
    parcel = _parcel(order, shipment_id, "in_transit", "correct_tracking")
    if (parcel.carrier, parcel.tracking_number) == (carrier, tracking_number):
        return None
    corrected = replace(parcel, carrier=carrier, tracking_number=tracking_number)
    after = order.transition("correct_tracking", now, shipments=_with(order, corrected))
    return after, TrackingCorrected(
        order_id=order.id,
        customer_id=order.customer_id,
        shipment_id=shipment_id,
        correction_id=correction_id,
        carrier=carrier,
        tracking_number=tracking_number,
        lines=select_lines(order.lines, quantities_of(parcel.lines)),
    )


def deliver_parcel(order: Order, shipment_id: UUID, now: datetime) -> Changes:
    """A parcel has arrived; raise ``ShipmentNotFound``, ``TransitionNotAllowed``."""
    parcel = _parcel(order, shipment_id, "in_transit", "deliver_parcel")
    arrived = _settled(order, parcel, "delivered", now)
    after = order.transition("deliver_parcel", now, shipments=_with(order, arrived))
    event = ParcelDelivered(
        order_id=order.id, customer_id=order.customer_id, shipment_id=shipment_id, lines=parcel.lines
    )
    return [(after, event), *ending(after, now)]


def fail_parcel(order: Order, shipment_id: UUID, reason: FailureReason, now: datetime) -> Changes:
    """A parcel does not arrive, so the customer gets back what it cost.

    Raise ``ShipmentNotFound``, ``TransitionNotAllowed``.
    """
    parcel = _parcel(order, shipment_id, "in_transit", "fail_parcel")
    lines = select_lines(order.lines, quantities_of(parcel.lines))
    refund = total_of(lines)
    failed = replace(_settled(order, parcel, "failed", now), failure_reason=reason, refund=refund)
    after = order.transition("fail_parcel", now, shipments=_with(order, failed))
    event = ParcelFailed(
        order_id=order.id,
        customer_id=order.customer_id,
        shipment_id=shipment_id,
        carrier=parcel.carrier,
        tracking_number=parcel.tracking_number,
        reason=reason,
        lines=lines,
        refund=refund,
    )
    return [(after, event), *ending(after, now)]


def return_parcel(
    order: Order, shipment_id: UUID, return_id: UUID, scrapped: Mapping[str, int], now: datetime
) -> tuple[Order, ParcelReturned]:
    """A parcel that failed came back: its pieces are on hand again, without those that are ``scrapped``.

    Raise ``ShipmentNotFound``, ``TransitionNotAllowed``, ``QuantityExceeded``.
    """
    parcel = _parcel(order, shipment_id, "failed", "return_parcel")
    inside = quantities_of(parcel.lines)
    order.require_left(scrapped, inside)
    gone = plain_lines(scrapped)
    # What it cost was refunded when it failed.
    nothing = Money(amount=0, currency=order.total.currency)
    at = order.time_of_change(now)
    back = Return(return_id, parcel.lines, nothing, None, at, shipment_id=shipment_id, scrapped=gone)
    after = order.transition(
        *("return_parcel", now),
        shipments=_with(order, _settled(order, parcel, "came_back", now)),
        returns=(*order.returns, back),
    )
    return after, ParcelReturned(
        order_id=order.id,
        customer_id=order.customer_id,
        shipment_id=shipment_id,
        return_id=return_id,
        lines=parcel.lines,
        scrapped=gone,
    )


def ending(order: Order, now: datetime) -> Changes:
    """The end of an order of which nothing is in transit or left to ship any more; nothing for another."""
    if order.unshipped or order.in_transit:
        return []
    return [deliver(order, now) if order.arrived else _end_undelivered(order, now)]


def deliver(order: Order, now: datetime) -> tuple[Order, OrderDelivered]:
    """Everything that is in transit has arrived; raise ``TransitionNotAllowed``, also while something is to ship."""
    order.require("deliver")
    shipments = tuple(
        _settled(order, one, "delivered", now) if one.status == "in_transit" else one for one in order.shipments
    )
    after = order.transition("deliver", now, shipments=shipments)
    whole = all(one.status == "delivered" for one in shipments)
    return after, OrderDelivered(order_id=order.id, customer_id=order.customer_id, complete=whole)


def _end_undelivered(order: Order, now: datetime) -> tuple[Order, OrderUndelivered]:
    after = order.transition("end_undelivered", now)
    return after, OrderUndelivered(order_id=order.id, customer_id=order.customer_id)


def _parcel(order: Order, shipment_id: UUID, status: ShipmentStatus, transition: str) -> Shipment:
    """A parcel of an order that has this status; raise ``ShipmentNotFound``, ``TransitionNotAllowed``."""
    parcel = next((one for one in order.shipments if one.id == shipment_id), None)
    if parcel is None:
        raise ShipmentNotFound
    if parcel.status != status:
        raise TransitionNotAllowed(
            f"The parcel is {parcel.status}.", state=order.state, allowed=order.allowed_actions
        )
    order.require(transition)
    return parcel


def _settled(order: Order, parcel: Shipment, status: ShipmentStatus, now: datetime) -> Shipment:
    return replace(parcel, status=status, changed_at=order.time_of_change(now))


def _with(order: Order, changed: Shipment) -> tuple[Shipment, ...]:
    return tuple(changed if one.id == changed.id else one for one in order.shipments)
