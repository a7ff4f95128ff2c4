"""The route that amends an order before it is shipped."""

from uuid import UUID

from fastapi import Response, status

from chassis.http.auth import Customer
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.preconditions import IfMatch
from chassis.http.routing import new_router, problems
from order_svc.amendments.commands import AmendOrder
from order_svc.amendments.dto import AmendmentBody
from order_svc.container import Commit, Limits, Products
from order_svc.errors import CatalogueUnavailable
from order_svc.orders.dto import OrderOut, with_etag
from order_svc.orders.examples import AMENDED, shows
from order_svc.orders.product_fallback import commit_with_fallback

router = new_router()


@router.patch(
    "/v1/orders/{order_id}",
    status_code=status.HTTP_202_ACCEPTED,
    tags=["orders"],
    summary="Amend an order",
    responses=problems(Unauthenticated, Forbidden, *AmendOrder.errors, CatalogueUnavailable) | shows(202, AMENDED),
)
async def amend_order(
    order_id: UUID,
    body: AmendmentBody,
    response: Response,
    customer: Customer,
    commit: Commit,
    products: Products,
    limits: Limits,
    if_match: IfMatch = None,
) -> OrderOut:
    """Request other lines or addresses before the order is shipped.

    The order stays as it is, and keeps its stock, until stock for all of its `amendment` is reserved. Lines whose
    quantity does not grow keep their price; larger and new lines have today's price. Where stock is short the
    amendment is refused, and leaves the order; the timeline says why (`order.amendment_refused`, `shortages`). One
    amendment waits at a time.
    """
    command = AmendOrder(order_id, customer.id, if_match, body.quantities(), body.addresses(), limits)
    return with_etag(response, await commit_with_fallback(commit, products, command))
