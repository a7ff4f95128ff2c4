"""What order_svc knows of an order, or of the orders of a customer: its part of a trace."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import Field

from chassis.http.bodies import ResponseBody
from chassis.http.examples import ID, MOMENT
from chassis.http.trace_routes import TracePart
from chassis.persistence.postgres.database import Postgres
from order_svc.orders.domain import State
from order_svc.orders.store import orders
from order_svc.timeline.domain import TimelineEntry
from order_svc.timeline.queries import timelines_of

MOST_ORDERS = 20
DETAILS = ("state", "reason", "revision", "by", "template", "mail_id", "resend_of")
"""The details of timeline entries that are shown: the others may say where a parcel is."""


class TracedEntryOut(ResponseBody):
    """Something that happened to the order: an event about it, or a step of its saga (`saga.…`)."""

    at: datetime
    type: Annotated[str, Field(examples=["order.confirmed"])]
    detail: Annotated[
        dict[str, Any],
        Field(description=", ".join(f"`{name}`" for name in DETAILS), examples=[{"state": "CONFIRMED"}]),
    ]


class TracedOrderOut(ResponseBody):
    """An order: where it stands, and how it came there. `version` is the number of events published about it."""

    id: UUID
    customer_id: UUID
    state: State
    version: Annotated[int, Field(examples=[2])]
    placed_at: datetime
    changed_at: datetime
    timeline: list[TracedEntryOut]


class OrderTraceOut(ResponseBody):
    """The order with this id, or the newest orders of the customer with this id."""

    key: UUID
    orders: Annotated[
        list[TracedOrderOut],
        Field(
            examples=[
                [
                    {
                        **{"id": ID, "customer_id": ID, "state": "CONFIRMED", "version": 2},
                        **{"placed_at": MOMENT, "changed_at": MOMENT},
                        "timeline": [{"at": MOMENT, "type": "order.placed", "detail": {"state": "PENDING"}}],
                    }
                ]
            ]
        ),
    ]


_COLUMNS = [orders.c[name] for name in ("id", "customer_id", "state", "version", "placed_at", "changed_at")]


async def order_trace(database: Postgres, key: UUID, _customer_id: UUID | None) -> OrderTraceOut:
    """The orders that a key stands for, newest first, with their timelines."""
    query = sa.select(*_COLUMNS).where(sa.or_(orders.c.id == key, orders.c.customer_id == key))
    async with database.reading() as connection:
        rows = (await connection.execute(query.order_by(orders.c.id.desc()).limit(MOST_ORDERS))).all()
    timelines = await timelines_of(database, [row.id for row in rows])
    found = [
        TracedOrderOut(**row._asdict(), timeline=[_entry_out(entry) for entry in timelines[row.id]]) for row in rows
    ]
    return OrderTraceOut(key=key, orders=found)


def _entry_out(entry: TimelineEntry) -> TracedEntryOut:
    detail = {name: entry.detail[name] for name in DETAILS if name in entry.detail}
    return TracedEntryOut(at=entry.at, type=entry.type, detail=detail)


TRACE = TracePart(
    f"The order with this id, or the {MOST_ORDERS} newest orders of the customer with this id: state, version, and"
    " the timeline with the steps of the saga.",
    OrderTraceOut,
    order_trace,
)
