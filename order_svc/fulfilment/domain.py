"""How an order is shipped, delivered and returned. Pure."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from order_svc.errors import QuantityExceeded
from order_svc.orders.domain import Order, total_of
from order_svc.orders.parts import Return, Shipment
from schemas import Line, OrderDelivered, OrderReturned, OrderShipped, PricedLine


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


def deliver(order: Order, now: datetime) -> tuple[Order, OrderDelivered]:
    """Everything has arrived; raise ``TransitionNotAllowed``, also while something is left to ship."""
    return order.transition("deliver", now), OrderDelivered(order_id=order.id, customer_id=order.customer_id)


def take_back(
    order: Order, return_id: UUID, quantities: Mapping[str, int], reason: str | None, now: datetime
) -> tuple[Order, OrderReturned]:
    """Take quantities of SKUs back at the price they were sold at.

    Raise ``TransitionNotAllowed``, ``QuantityExceeded``.
    """
    order.require("return")
    lines = _select(order, quantities, order.returnable)
    returned = Return(return_id, without_prices(lines), total_of(lines), reason, max(now, order.changed_at))
    after = order.transition("return", now, returns=(*order.returns, returned))
    return after, OrderReturned(
        order_id=order.id,
        customer_id=order.customer_id,
        return_id=return_id,
        lines=lines,
        refund=returned.refund,
        reason=reason,
    )


def without_prices(lines: tuple[PricedLine, ...]) -> tuple[Line, ...]:
    """Lines without names and prices."""
    return tuple(Line(sku=line.sku, quantity=line.quantity) for line in lines)


def _select(order: Order, quantities: Mapping[str, int] | None, left: Mapping[str, int]) -> tuple[PricedLine, ...]:
    selected = left if quantities is None else quantities
    if any(quantity > left.get(sku, 0) for sku, quantity in selected.items()):
        raise QuantityExceeded(left=dict(left), state=order.state, allowed=order.allowed_actions)
    return tuple(
        line.model_copy(update={"quantity": selected[line.sku]}) for line in order.lines if line.sku in selected
    )
