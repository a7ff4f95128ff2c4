"""The routes by which staff record what becomes of parcels."""

from uuid import UUID

from fastapi import Response
from uuid_utils.compat import uuid7

from chassis.http.auth import Staff
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.preconditions import IfMatch
from chassis.http.routing import new_router, problems
from order_svc.container import Commit
from order_svc.orders.dto import OrderOut, with_etag
from order_svc.orders.examples import CAME_BACK, CORRECTED, DELIVERED, UNDELIVERED, shows
from order_svc.parcels.commands import CorrectTracking, DeliverParcel, FailParcel, ReturnParcel
from order_svc.parcels.dto import FailureBody, ParcelReturnBody, TrackingBody

router = new_router(Unauthenticated, Forbidden)

PARCEL = "/v1/orders/{order_id}/shipments/{shipment_id}"


@router.put(
    f"{PARCEL}/tracking",
    tags=["fulfilment"],
    summary="Correct the tracking of a parcel",
    responses=problems(*CorrectTracking.errors) | shows(200, CORRECTED),
)
async def correct_tracking(
    order_id: UUID,
    shipment_id: UUID,
    body: TrackingBody,
    response: Response,
    _staff: Staff,
    commit: Commit,
    if_match: IfMatch = None,
) -> OrderOut:
    """Replace the carrier and the tracking number of a parcel in transit. The customer gets a mail with them."""
    command = CorrectTracking(order_id, if_match, shipment_id, uuid7(), body.carrier, body.tracking_number)
    return with_etag(response, await commit(command))


@router.post(
    f"{PARCEL}/deliver",
    tags=["fulfilment"],
    summary="Record that a parcel has arrived",
    responses=problems(*DeliverParcel.errors) | shows(200, DELIVERED),
)
async def deliver_parcel(
    order_id: UUID, shipment_id: UUID, response: Response, _staff: Staff, commit: Commit, if_match: IfMatch = None
) -> OrderOut:
    """When nothing of the order is in transit or left to ship any more, the order is DELIVERED."""
    return with_etag(response, await commit(DeliverParcel(order_id, if_match, shipment_id)))


@router.post(
    f"{PARCEL}/fail",
    tags=["fulfilment"],
    summary="Record that a parcel does not arrive",
    responses=problems(*FailParcel.errors) | shows(200, UNDELIVERED),
)
async def fail_parcel(
    order_id: UUID,
    shipment_id: UUID,
    body: FailureBody,
    response: Response,
    _staff: Staff,
    commit: Commit,
    if_match: IfMatch = None,
) -> OrderOut:
    """The customer gets a mail, and `refund` is what is in the parcel. Its stock is not on hand before it comes back.

    When nothing of the order is in transit or left to ship any more, the order is DELIVERED, or UNDELIVERED if no
    parcel arrived.
    """
    return with_etag(response, await commit(FailParcel(order_id, if_match, shipment_id, body.reason)))


@router.post(
    f"{PARCEL}/return",
    tags=["fulfilment"],
    summary="Record that a failed parcel came back",
    responses=problems(*ReturnParcel.errors) | shows(200, CAME_BACK),
)
async def return_parcel(
    order_id: UUID,
    shipment_id: UUID,
    response: Response,
    _staff: Staff,
    commit: Commit,
    body: ParcelReturnBody | None = None,
    if_match: IfMatch = None,
) -> OrderOut:
    """What was in it is on hand again, without the pieces that are scrapped."""
    scrapped = body.quantities() if body else {}
    return with_etag(response, await commit(ReturnParcel(order_id, if_match, shipment_id, uuid7(), scrapped)))
