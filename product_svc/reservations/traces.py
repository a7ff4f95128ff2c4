"""What product_svc knows of an order: its reservation and its stock movements. Its part of a trace."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chassis.http.bodies import ResponseBody
from chassis.http.examples import ID, MOMENT
from chassis.http.trace_routes import TracePart
from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.database import Mongo
from product_svc.reservations.domain import Reservation
from product_svc.reservations.store import read_reservation
from product_svc.stock.queries import movements_of_order


class TracedLineOut(ResponseBody):
    """Units of one SKU."""

    sku: Annotated[str, Field(examples=["MUG-BLUE"])]
    quantity: Annotated[int, Field(examples=[2])]


class TracedReservationOut(ResponseBody):
    """What is reserved for the order now. `version` is the number of events published about it.

    Reservations are no movements, and only their last change has a time here: the others are in the order's timeline.
    """

    order_id: UUID
    state: Literal["held", "rejected", "released", "shipped"]
    revision: Annotated[int, Field(examples=[1])]
    version: Annotated[int, Field(examples=[1])]
    held: list[TracedLineOut]
    changed_at: datetime


class TracedMovementOut(ResponseBody):
    """A change of the number on hand that the order caused."""

    order_id: UUID
    sku: Annotated[str, Field(examples=["MUG-BLUE"])]
    delta: Annotated[int, Field(examples=[-2])]
    reason: Annotated[str, Field(examples=["shipment"])]
    on_hand: Annotated[int | None, Field(description="the number after the change", examples=[40])]
    at: datetime


_RESERVATION = {
    **{"order_id": ID, "state": "held", "revision": 1, "version": 1},
    **{"held": [{"sku": "MUG-BLUE", "quantity": 2}], "changed_at": MOMENT},
}
_MOVEMENT = {"order_id": ID, "sku": "MUG-BLUE", "delta": -2, "reason": "shipment", "on_hand": 40, "at": MOMENT}


class StockTraceOut(ResponseBody):
    """The reservation and the stock movements of the order with this id, the oldest movement first."""

    key: UUID
    reservation: Annotated[TracedReservationOut | None, Field(examples=[_RESERVATION])]
    movements: Annotated[list[TracedMovementOut], Field(examples=[[_MOVEMENT]])]


async def stock_trace(database: Mongo, key: UUID, _customer_id: UUID | None) -> StockTraceOut:
    """The reservation and the movements of an order."""
    with translated():
        document: Any = await database.db.reservations.find_one({"_id": key})
    moved = [
        TracedMovementOut(
            order_id=key, sku=one.sku, delta=one.delta, reason=one.reason, on_hand=one.on_hand, at=one.at
        )
        for one in await movements_of_order(database, key)
    ]
    reservation = _reservation_out(read_reservation(document)[1]) if document else None
    return StockTraceOut(key=key, reservation=reservation, movements=moved)


def _reservation_out(reservation: Reservation) -> TracedReservationOut:
    return TracedReservationOut(
        order_id=reservation.order_id,
        state=reservation.state,
        revision=reservation.revision,
        version=reservation.version,
        held=[TracedLineOut(sku=sku, quantity=quantity) for sku, quantity in reservation.held.items()],
        changed_at=reservation.changed_at,
    )


TRACE = TracePart(
    "The reservation of the order with this id, and the stock movements that it caused.", StockTraceOut, stock_trace
)
