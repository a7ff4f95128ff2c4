"""The REST bodies of timelines, and the data of their server-sent events."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chassis.http.bodies import ResponseBody
from order_svc.orders.domain import Order, State
from order_svc.timeline.domain import TimelineEntry


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

    code: Literal["token_expired", "timeout", "stopping"]


def timeline_out(order: Order, entries: Sequence[TimelineEntry]) -> TimelineOut:
    """An order's timeline as its owner sees it."""
    return TimelineOut(order_id=order.id, state=order.state, entries=[entry_out(entry) for entry in entries])


def entry_out(entry: TimelineEntry) -> EntryOut:
    """An entry of a timeline."""
    return EntryOut(at=entry.at, type=entry.type, detail=entry.detail)
