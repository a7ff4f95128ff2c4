"""The routes by which staff ship and deliver orders, and take back what is returned."""

from uuid import UUID

from fastapi import Response, status
from uuid_utils.compat import uuid7

from chassis.http.auth import Staff
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.preconditions import IfMatch, etag
from chassis.http.routing import new_router, problems
from order_svc.container import Commit
from order_svc.fulfilment.commands import DeliverOrder, ReturnLines, ShipOrder
from order_svc.fulfilment.dto import ReturnBody, ShipmentBody
from order_svc.orders.domain import Order
from order_svc.orders.dto import OrderOut, order_out
from order_svc.orders.examples import DELIVERED, RETURNED, SHIPPED, shows

router = new_router(Unauthenticated, Forbidden)


@router.post(
    "/v1/orders/{order_id}/shipments",
    status_code=status.HTTP_201_CREATED,
    tags=["fulfilment"],
    summary="Ship an order, or a part of it",
    responses=problems(*ShipOrder.errors) | shows(201, SHIPPED),
)
async def ship_order(
    order_id: UUID, body: ShipmentBody, response: Response, _staff: Staff, commit: Commit, if_match: IfMatch = None
) -> OrderOut:
    """Record a parcel. Without lines it has everything that is left of the order."""
    command = ShipOrder(order_id, if_match, uuid7(), body.carrier, body.tracking_number, body.quantities())
    return _with_etag(response, await commit(command))


@router.post(
    "/v1/orders/{order_id}/deliver",
    tags=["fulfilment"],
    summary="Record that an order has arrived",
    responses=problems(*DeliverOrder.errors) | shows(200, DELIVERED),
)
async def deliver_order(
    order_id: UUID, response: Response, _staff: Staff, commit: Commit, if_match: IfMatch = None
) -> OrderOut:
    """The customer has everything that was ordered; possible once all of it is shipped."""
    return _with_etag(response, await commit(DeliverOrder(order_id, if_match)))


@router.post(
    "/v1/orders/{order_id}/returns",
    status_code=status.HTTP_201_CREATED,
    tags=["fulfilment"],
    summary="Take lines of a delivered order back",
    responses=problems(*ReturnLines.errors) | shows(201, RETURNED),
)
async def take_back_lines(
    order_id: UUID, body: ReturnBody, response: Response, _staff: Staff, commit: Commit, if_match: IfMatch = None
) -> OrderOut:
    """Record what came back. It becomes available again, and the customer gets back the price that was paid."""
    command = ReturnLines(order_id, if_match, uuid7(), body.quantities(), body.reason)
    return _with_etag(response, await commit(command))


def _with_etag(response: Response, order: Order) -> OrderOut:
    response.headers["ETag"] = etag(order.version)
    return order_out(order)
