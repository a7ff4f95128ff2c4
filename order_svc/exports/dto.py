"""The REST bodies of exports."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import ConfigDict

from chassis.http.examples import MOMENT
from chassis.http.paging import Page
from order_svc.orders.domain import Order
from order_svc.orders.dto import OrderOut, order_out
from order_svc.orders.examples import SHIPPED
from order_svc.timeline.domain import TimelineEntry
from order_svc.timeline.dto import EntryOut, entry_out

EXAMPLE = SHIPPED | {
    "timeline": [
        {"at": MOMENT, "type": "order.placed", "detail": {"state": "PENDING"}},
        {"at": "2026-01-02T03:04:06Z", "type": "order.confirmed", "detail": {"state": "CONFIRMED"}},
    ]
}


class WholeOrderOut(OrderOut):
    """An order, and everything that happened to it so far."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    timeline: list[EntryOut]


class WholeOrdersOut(Page[WholeOrderOut, UUID]):
    """A page of orders with their timelines, newest first; ``next`` is the ``before`` of the next page, if any."""


def whole_order_out(order: Order, entries: Sequence[TimelineEntry]) -> WholeOrderOut:
    """An order with its timeline."""
    timeline = [entry_out(entry) for entry in entries]
    return WholeOrderOut.model_construct(**dict(order_out(order)), timeline=timeline)
