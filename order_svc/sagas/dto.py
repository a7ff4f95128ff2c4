"""The bodies of the routes of sagas."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.paging import Page
from order_svc.domain import State


class Resolution(RequestBody):
    """What to do about an order that waits."""

    action: Annotated[
        Literal["retry", "cancel"],
        Field(description="`retry`: ask for its stock again; `cancel`: do now what its deadline would do"),
    ]


class SagaOut(ResponseBody):
    """An order that waits for an answer about its stock: for what, since when, and how often it has asked."""

    order_id: UUID
    order_state: State
    step: Literal["reserve", "amend"]
    revision: Annotated[int, Field(examples=[1])]
    asked: Annotated[int, Field(examples=[2])]
    since: datetime
    seconds: Annotated[float, Field(description="how long that is, by the database's clock", examples=[73.5])]


class SagasOut(Page[SagaOut, UUID]):
    """A page of sagas, by order; ``next`` is the ``after`` of the page that follows, if there is one."""
