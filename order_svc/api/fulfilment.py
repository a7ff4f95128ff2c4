"""The routes by which staff ships and delivers orders, and takes back what is returned."""

from uuid import UUID

from fastapi import Response, status
from uuid_utils.compat import uuid7

from chassis.http.auth import Staff
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.preconditions import IfMatch, PreconditionFailed, PreconditionRequired, etag
from chassis.http.routing import new_router, problems
from order_svc.commands import want_order
from order_svc.container import Commit
from order_svc.domain import Order
from order_svc.dto import OrderOut, order_out
from order_svc.errors import MoreThanLeft, NotPossibleNow, OrderUnknown
from order_svc.examples import DELIVERED, EXAMPLE, RETURNED, shows
from order_svc.fulfilment.commands import deliver_order, return_lines, ship_order
from order_svc.fulfilment.dto import ReturnBody, ShipmentBody

router = new_router(
    *(Unauthenticated, Forbidden, OrderUnknown, NotPossibleNow, PreconditionFailed, PreconditionRequired)
)


@router.post(
    "/v1/orders/{order_id}/shipments",
    status_code=status.HTTP_201_CREATED,
    tags=["fulfilment"],
    summary="Ship an order, or a part of it",
    responses=problems(NotPossibleNow, MoreThanLeft) | shows(201, EXAMPLE),
)
async def ship(
    order_id: UUID, body: ShipmentBody, response: Response, _staff: Staff, commit: Commit, if_match: IfMatch = None
) -> OrderOut:
    """Note a parcel that left the house. Without lines it has all that is left."""
    shipment_id, quantities = uuid7(), body.quantities()
    order = await commit(
        lambda book: ship_order(
            book, order_id, if_match, shipment_id, body.carrier, body.tracking_number, quantities
        ),
        lambda book: want_order(book, order_id),
    )
    return _answered(response, order)


@router.post(
    "/v1/orders/{order_id}/deliver",
    tags=["fulfilment"],
    summary="Note that an order has arrived",
    responses=shows(200, DELIVERED),
)
async def deliver(
    order_id: UUID, response: Response, _staff: Staff, commit: Commit, if_match: IfMatch = None
) -> OrderOut:
    """Everything that was ordered is with the customer; possible once all of it is shipped."""
    order = await commit(
        lambda book: deliver_order(book, order_id, if_match), lambda book: book.orders.prefetch(order_id)
    )
    return _answered(response, order)


@router.post(
    "/v1/orders/{order_id}/returns",
    status_code=status.HTTP_201_CREATED,
    tags=["fulfilment"],
    summary="Take lines of a delivered order back",
    responses=problems(NotPossibleNow, MoreThanLeft) | shows(201, RETURNED),
)
async def take_back(
    order_id: UUID, body: ReturnBody, response: Response, _staff: Staff, commit: Commit, if_match: IfMatch = None
) -> OrderOut:
    """Note what came back. It can be sold again, and the customer gets back what it was sold at."""
    return_id, quantities = uuid7(), body.quantities()
    order = await commit(
        lambda book: return_lines(book, order_id, if_match, return_id, quantities, body.reason),
        lambda book: want_order(book, order_id),
    )
    return _answered(response, order)


def _answered(response: Response, order: Order) -> OrderOut:
    response.headers["ETag"] = etag(order.version)
    return order_out(order)
