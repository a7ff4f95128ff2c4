"""The route that lists orders."""

import re
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from chassis.http.auth import Authenticated
from chassis.http.errors import Unauthenticated
from chassis.http.routing import new_router, problems
from order_svc.api.needs import owner
from order_svc.container import Database
from order_svc.domain import State
from order_svc.dto import OrdersOut, order_out
from order_svc.history import Sought, history
from schemas.values import Text

router = new_router()

DAY = "2026-01-03T00:00:00Z"


def _written_out(value: Any) -> Any:
    """Refuse a number, which Pydantic takes for seconds since 1970."""
    if isinstance(value, str) and not re.match(r"\d{4}-\d\d-\d\d", value):
        raise ValueError("must be a time as in RFC 3339")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]


class Asked(BaseModel):
    """What the list is narrowed to, and which page of it."""

    model_config = ConfigDict(frozen=True)

    status: Annotated[list[State], Field(description="in one of these states", examples=[["PENDING"]])] = []
    placed_from: Annotated[Moment | None, Field(description="placed then or later", examples=[DAY])] = None
    placed_to: Annotated[Moment | None, Field(description="placed before", examples=[DAY])] = None
    q: Annotated[
        Text | None,
        Field(
            min_length=1,
            max_length=100,
            description="a part of the order's id, or of the name or SKU of something in it",
            examples=["mug"],
        ),
    ] = None
    customer_id: Annotated[UUID | None, Field(description="of this customer; for staff")] = None
    before: Annotated[UUID | None, Field(description="`next` of the page before")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    def sought(self) -> Sought:
        """The same as a question."""
        return Sought(self.customer_id, tuple(self.status), self.placed_from, self.placed_to, self.q)


@router.get("/v1/orders", tags=["orders"], summary="List orders", responses=problems(Unauthenticated))
async def list_orders(principal: Authenticated, database: Database, asked: Annotated[Asked, Query()]) -> OrdersOut:
    """One's own orders, newest first; everybody's for staff. A page stays the same when others are placed.

    Where few orders are in the `status` or have the text that is asked for, a page can have less than `limit` of
    them, even none, and a `next`: each page looks through some thousands of orders at most.
    """
    page = await history(database, owner(principal), asked.sought(), asked.before, asked.limit)
    return OrdersOut(items=[order_out(order) for order in page.orders], next=page.next)
