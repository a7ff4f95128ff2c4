"""What an order's timeline says of its own events. Nothing that somebody has written freely: it may be personal."""

from typing import Any

from order_svc.domain import Order
from schemas import (
    AmendmentAccepted,
    AmendmentRefused,
    Event,
    OrderAmended,
    OrderRejected,
    OrderReturned,
    OrderShipped,
)


def told(order: Order, event: Event) -> dict[str, Any]:
    """The detail of the entry about an event of an order."""
    detail: dict[str, Any] = {"state": order.state}
    if order.reason:
        detail["reason"] = order.reason
    if isinstance(event, OrderAmended | AmendmentAccepted | AmendmentRefused):
        detail["revision"] = event.revision
    if isinstance(event, OrderRejected | AmendmentRefused) and event.shortages:
        detail["shortages"] = [shortage.model_dump() for shortage in event.shortages]
    if isinstance(event, OrderShipped):
        detail |= {"carrier": event.carrier, "tracking_number": event.tracking_number, "complete": event.complete}
    if isinstance(event, OrderShipped | OrderReturned):
        detail["lines"] = [line.model_dump(include={"sku", "quantity"}) for line in event.lines]
    return detail
