"""How an order gets to the customer, and back. Pure."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from order_svc.domain import Order, total_of
from order_svc.errors import MoreThanLeft
from order_svc.parts import Return, Shipment
from schemas import Line, OrderDelivered, OrderReturned, OrderShipped, PricedLine


def ship(
    order: Order,
    shipment_id: UUID,
    carrier: str,
    tracking_number: str,
    quantities: Mapping[str, int] | None,
    now: datetime,
) -> tuple[Order, OrderShipped]:
    """Send quantities of SKUs, or all that is left (None); raise ``NotPossibleNow``, ``MoreThanLeft``."""
    order.check("ship")
    lines = _taken(order, quantities, order.unshipped)
    shipment = Shipment(shipment_id, carrier, tracking_number, plain(lines), max(now, order.changed_at))
    shipped = order.moved("ship", now, shipments=(*order.shipments, shipment))
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
    """Everything has arrived; raise ``NotPossibleNow``, also while something is left to ship."""
    return order.moved("deliver", now), OrderDelivered(order_id=order.id, customer_id=order.customer_id)


def take_back(
    order: Order, return_id: UUID, quantities: Mapping[str, int], reason: str | None, now: datetime
) -> tuple[Order, OrderReturned]:
    """Take quantities of SKUs back at the price they were sold at; raise ``NotPossibleNow``, ``MoreThanLeft``."""
    order.check("return")
    lines = _taken(order, quantities, order.returnable)
    back = Return(return_id, plain(lines), total_of(lines), reason, max(now, order.changed_at))
    returned = order.moved("return", now, returns=(*order.returns, back))
    return returned, OrderReturned(
        order_id=order.id,
        customer_id=order.customer_id,
        return_id=return_id,
        lines=lines,
        refund=back.refund,
        reason=reason,
    )


def plain(lines: tuple[PricedLine, ...]) -> tuple[Line, ...]:
    """Lines without what they were sold at."""
    return tuple(Line(sku=line.sku, quantity=line.quantity) for line in lines)


def _taken(order: Order, quantities: Mapping[str, int] | None, left: Mapping[str, int]) -> tuple[PricedLine, ...]:
    wanted = left if quantities is None else quantities
    if any(quantity > left.get(sku, 0) for sku, quantity in wanted.items()):
        raise MoreThanLeft(left=dict(left), state=order.state, allowed=order.steps)
    return tuple(line.model_copy(update={"quantity": wanted[line.sku]}) for line in order.lines if line.sku in wanted)
