"""The REST bodies of sagas."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chassis.http.bodies import ResponseBody
from chassis.http.ops_actions import Reason
from chassis.http.paging import Page
from order_svc.orders.domain import State
from order_svc.saga.queries import Saga
from schemas import Line


class Resolution(Reason):
    """What to do about an order that waits."""

    action: Annotated[
        Literal["retry", "cancel"],
        Field(
            description="`retry`: request its stock, or what it lost, again; `cancel`: do now what its deadline would"
        ),
    ]


class SagaOut(ResponseBody):
    """An order that waits for a reply about its stock: for what, since when, and how often stock was requested.

    With the step `lost` it waits for staff: pieces that were reserved for it are `missing` in the warehouse.
    """

    order_id: UUID
    order_state: State
    step: Literal["reserve", "amend", "lost"]
    revision: Annotated[int, Field(examples=[1])]
    asked: Annotated[int, Field(description="how often stock was requested", examples=[2])]
    missing: tuple[Line, ...]
    since: datetime
    seconds: Annotated[
        float, Field(description="how long the order has waited, by the database's clock", examples=[73.5])
    ]


class SagasOut(Page[SagaOut, UUID]):
    """A page of sagas, by order; ``next`` is the ``after`` of the next page, if there is one."""


def saga_out(saga: Saga) -> SagaOut:
    """A saga as ops see it."""
    return SagaOut(
        order_id=saga.order_id,
        order_state=saga.order_state,
        step=saga.step,
        revision=saga.revision,
        asked=saga.reservation_attempts,
        missing=saga.missing,
        since=saga.since,
        seconds=saga.seconds,
    )
