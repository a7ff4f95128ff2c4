"""The routes by which orders are shipped and delivered, and what is left to ship is cancelled."""

from uuid import UUID

from fastapi import Response, status
from uuid_utils.compat import uuid7

from chassis.http.auth import Authenticated, Staff
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.preconditions import ANY, IfMatch
from chassis.http.routing import new_router, problems
from order_svc.container import Commit
from order_svc.fulfilment.commands import CancelRemainder, DeliverOrder, ShipOrder
from order_svc.fulfilment.dto import ShipmentBody
from order_svc.orders.dto import CancellationBody, OrderOut, with_etag
from order_svc.orders.examples import DELIVERED, REMAINDER_CANCELLED, SHIPPED, shows
from order_svc.orders.queries import owner_filter

router = new_router(Unauthenticated, Forbidden)
shared = new_router(Unauthenticated)


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
    return with_etag(response, await commit(command))


@shared.post(
    "/v1/orders/{order_id}/cancel-remainder",
    tags=["orders"],
    summary="Cancel what is left to ship of an order",
    responses=problems(*CancelRemainder.errors) | shows(200, REMAINDER_CANCELLED),
)
async def cancel_remainder(
    order_id: UUID,
    response: Response,
    principal: Authenticated,
    commit: Commit,
    body: CancellationBody | None = None,
    if_match: IfMatch = None,
) -> OrderOut:
    """Keep what is shipped of a partly shipped order, and cancel the rest.

    The rest becomes available again. It moves from `lines` to `cancelled_remainder`, and `total` is the price of what
    is shipped. With `If-Match`, only if the order has not changed since it was read.
    """
    owner, note = owner_filter(principal), body.note if body else None
    return with_etag(response, await commit(CancelRemainder(order_id, owner, note, if_match or ANY)))


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
    return with_etag(response, await commit(DeliverOrder(order_id, if_match)))
