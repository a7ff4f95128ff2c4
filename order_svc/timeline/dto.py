"""The REST bodies of timelines and exports, and the data of server-sent events."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from chassis.http.bodies import ResponseBody
from chassis.http.examples import MOMENT
from chassis.http.paging import Page
from order_svc.orders.domain import Order, State
from order_svc.orders.dto import OrderOut, order_out
from order_svc.orders.examples import SHIPPED
from order_svc.timeline.domain import TimelineEntry

EXPORTED = SHIPPED | {
    "timeline": [
        {"at": MOMENT, "type": "order.placed", "detail": {"state": "PENDING"}},
        {"at": "2026-01-02T03:04:06Z", "type": "order.confirmed", "detail": {"state": "CONFIRMED"}},
    ]
}


class EntryOut(ResponseBody):
    """Something that happened to an order: an event about it, or a step of its saga, which has no event.

    | `saga.…` | what happened | `by` |
    |---|---|---|
    | `asked_again` | no reply about stock came, so it was requested again | `deadline`, `ops` |
    | `given_up` | no reply about stock came: the order is cancelled, or its amendment withdrawn | `deadline`, `ops` |
    | `left_to_amendment` | stock for the original order was refused, and the pending amendment decides | |
    | `answer_ignored` | a reply about stock arrived that nothing waited for any more | |
    """

    at: datetime
    type: Annotated[str, Field(examples=["order.confirmed"])]
    detail: Annotated[
        dict[str, Any],
        Field(description="details that depend on the type", examples=[{"state": "CONFIRMED"}]),
    ]


class TimelineOut(ResponseBody):
    """Everything that happened to an order so far, in the order in which the order service recorded it."""

    order_id: UUID
    state: State
    entries: list[EntryOut]


class EndOut(ResponseBody):
    """The end of a stream: nothing more is to come for the order as it is."""

    state: State


class ClosedOut(ResponseBody):
    """Why a stream was closed before the end. A client that reconnects continues where it was."""

    code: Literal["token_expired", "timeout", "stopping", "displaced"]


class WholeOrderOut(OrderOut):
    """An order, and everything that happened to it so far."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXPORTED]})

    timeline: list[EntryOut]


class WholeOrdersOut(Page[WholeOrderOut, UUID]):
    """A page of orders with their timelines, newest first; ``next`` is the ``cursor`` of the next page, if any."""


def timeline_out(order: Order, entries: Sequence[TimelineEntry]) -> TimelineOut:
    """An order's timeline as its owner sees it."""
    return TimelineOut(order_id=order.id, state=order.state, entries=[entry_out(entry) for entry in entries])


def entry_out(entry: TimelineEntry) -> EntryOut:
    """An entry of a timeline."""
    return EntryOut(at=entry.at, type=entry.type, detail=entry.detail)


def whole_order_out(order: Order, entries: Sequence[TimelineEntry]) -> WholeOrderOut:
    """An order with its timeline."""
    timeline = [entry_out(entry) for entry in entries]
    return WholeOrderOut.model_construct(**dict(order_out(order)), timeline=timeline)
