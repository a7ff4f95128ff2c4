"""The routes by which customers request returns, and staff answer and receive them."""

from uuid import UUID

from fastapi import Response, status
from uuid_utils.compat import uuid7

from chassis.http.auth import Customer, Staff
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.preconditions import IfMatch
from chassis.http.routing import new_router, problems
from order_svc.container import Commit
from order_svc.orders.dto import OrderOut, with_etag
from order_svc.orders.examples import RETURN_APPROVED, RETURN_DECLINED, RETURN_REQUESTED, RETURNED, shows
from order_svc.returns.commands import AnswerReturn, RequestReturn, ReturnLines
from order_svc.returns.dto import AnswerBody, ReturnBody, ReturnRequestBody

router = new_router(Unauthenticated, Forbidden)

REQUEST = "/v1/orders/{order_id}/return-requests/{request_id}"


@router.post(
    "/v1/orders/{order_id}/return-requests",
    status_code=status.HTTP_201_CREATED,
    tags=["returns"],
    summary="Request to return lines of an order",
    responses=problems(*RequestReturn.errors) | shows(201, RETURN_REQUESTED),
)
async def request_return(
    order_id: UUID,
    body: ReturnRequestBody,
    response: Response,
    customer: Customer,
    commit: Commit,
    if_match: IfMatch = None,
) -> OrderOut:
    """Staff approve or decline it, and you get a mail about that. Send nothing back before it is approved.

    Only what was delivered, did not come back yet and is in no other open request can be returned.
    """
    command = RequestReturn(order_id, if_match, customer.id, uuid7(), body.quantities(), body.reason)
    return with_etag(response, await commit(command))


@router.post(
    f"{REQUEST}/approve",
    tags=["returns"],
    summary="Approve a return",
    responses=problems(*AnswerReturn.errors) | shows(200, RETURN_APPROVED),
)
async def approve_return(
    order_id: UUID,
    request_id: UUID,
    response: Response,
    _staff: Staff,
    commit: Commit,
    body: AnswerBody | None = None,
    if_match: IfMatch = None,
) -> OrderOut:
    """The customer may send the lines, and gets a mail with the note: where to, and how."""
    command = AnswerReturn(order_id, if_match, request_id, approved=True, note=body.note if body else None)
    return with_etag(response, await commit(command))


@router.post(
    f"{REQUEST}/decline",
    tags=["returns"],
    summary="Decline a return",
    responses=problems(*AnswerReturn.errors) | shows(200, RETURN_DECLINED),
)
async def decline_return(
    order_id: UUID,
    request_id: UUID,
    response: Response,
    _staff: Staff,
    commit: Commit,
    body: AnswerBody | None = None,
    if_match: IfMatch = None,
) -> OrderOut:
    """The customer gets a mail with the note. An approved return whose lines did not come is declined too."""
    command = AnswerReturn(order_id, if_match, request_id, approved=False, note=body.note if body else None)
    return with_etag(response, await commit(command))


@router.post(
    "/v1/orders/{order_id}/returns",
    status_code=status.HTTP_201_CREATED,
    tags=["returns"],
    summary="Take lines of a delivered order back",
    responses=problems(*ReturnLines.errors) | shows(201, RETURNED),
)
async def take_back_lines(
    order_id: UUID, body: ReturnBody, response: Response, _staff: Staff, commit: Commit, if_match: IfMatch = None
) -> OrderOut:
    """Record what came back, for an approved request or without one; the customer gets back the price that was paid.

    What is not scrapped becomes available again.
    """
    return with_etag(response, await commit(ReturnLines(order_id, if_match, uuid7(), body.goods(), body.reason)))
