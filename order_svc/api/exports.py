"""The route of whoever takes everything along: customer_svc asks it in a customer's name, for their export."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from chassis.http.auth import Customer
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.routing import new_router, problems
from order_svc import queries
from order_svc.container import Database
from order_svc.dto import WholeOrdersOut, whole_order_out
from order_svc.history import Sought, history

router = new_router()


@router.get(
    "/v1/exports/orders",
    tags=["exports"],
    summary="Export one's orders",
    responses=problems(Unauthenticated, Forbidden),
)
async def export_orders(
    principal: Customer,
    database: Database,
    before: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> WholeOrdersOut:
    """One's own orders, newest first, each with its timeline: all that the service has, in few requests.

    `GET /v1/customers/me/export` of the customer service has it together with all the rest.
    """
    page = await history(database, principal.id, Sought(), before, limit)
    told = await queries.timelines(database, [order.id for order in page.orders])
    return WholeOrdersOut(items=[whole_order_out(order, told[order.id]) for order in page.orders], next=page.next)
