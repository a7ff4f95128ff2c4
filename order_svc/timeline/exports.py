"""The route that exports a customer's orders with their timelines, called by customer_svc for the customer."""

from typing import Annotated

from fastapi import Query

from chassis.http.auth import Customer
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.paging import IdCursor
from chassis.http.routing import new_router, problems
from order_svc.container import Database
from order_svc.orders.queries import OrderFilter, list_orders
from order_svc.timeline.dto import WholeOrdersOut, whole_order_out
from order_svc.timeline.queries import timelines_of

router = new_router()


@router.get(
    "/v1/exports/orders",
    tags=["exports"],
    summary="Export your orders",
    responses=problems(Unauthenticated, Forbidden),
)
async def export_orders(
    principal: Customer,
    database: Database,
    cursor: IdCursor = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> WholeOrdersOut:
    """Your own orders, newest first, each with its timeline: everything that the service stores about them.

    `GET /v1/customers/me/export` of the customer service returns them together with all other data.
    """
    page = await list_orders(database, principal.id, OrderFilter(), cursor, limit)
    timelines = await timelines_of(database, [order.id for order in page.orders])
    return WholeOrdersOut(
        items=[whole_order_out(order, timelines[order.id]) for order in page.orders], next=page.next
    )
