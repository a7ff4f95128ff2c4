"""The routes by which an order is amended or cancelled before it is shipped."""

from uuid import UUID

from fastapi import Response, status

from chassis.http.auth import Authenticated, Customer
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.preconditions import ANY, IfMatch, PreconditionFailed, PreconditionRequired, etag
from chassis.http.routing import new_router, problems
from order_svc.amending.commands import amend_order, want_wish
from order_svc.amending.dto import AmendmentBody, CancellationBody
from order_svc.api.learning import once_known
from order_svc.api.needs import owner
from order_svc.commands import cancel_order, want_order
from order_svc.container import Asking, Commit
from order_svc.dto import OrderOut, order_out
from order_svc.errors import (
    AccountDeactivated,
    AccountErased,
    CatalogueUnavailable,
    MixedCurrencies,
    NotForSale,
    NotPossibleNow,
    OrderTooLarge,
    OrderUnknown,
    SkuUnknown,
)
from order_svc.examples import AMENDED, CANCELLED, shows

router = new_router()


@router.patch(
    "/v1/orders/{order_id}",
    status_code=status.HTTP_202_ACCEPTED,
    tags=["orders"],
    summary="Amend an order",
    responses=problems(
        *(Unauthenticated, Forbidden, OrderUnknown, NotPossibleNow, PreconditionFailed, PreconditionRequired),
        *(SkuUnknown, NotForSale, MixedCurrencies, OrderTooLarge, CatalogueUnavailable),
        *(AccountDeactivated, AccountErased),
    )
    | shows(202, AMENDED),
)
async def amend(
    order_id: UUID,
    body: AmendmentBody,
    response: Response,
    customer: Customer,
    commit: Commit,
    catalogue: Asking,
    if_match: IfMatch = None,
) -> OrderOut:
    """Ask for other lines or addresses before the order is shipped.

    The order stays what it is, and holds its stock, until all of its `amendment` is reserved. What is not more
    than before keeps its price; for more of it, and for what is new, the price is today's. Where something is short
    the amendment is refused, and `shortages` says what. One amendment waits at a time.
    """
    wish = body.wish()
    order = await once_known(
        commit,
        catalogue,
        lambda: commit(
            lambda book: amend_order(book, order_id, customer.id, if_match, wish),
            lambda book: want_wish(book, order_id, customer.id, wish),
        ),
    )
    response.headers["ETag"] = etag(order.version)
    return order_out(order)


@router.post(
    "/v1/orders/{order_id}/cancel",
    tags=["orders"],
    summary="Cancel an order",
    responses=problems(Unauthenticated, OrderUnknown, NotPossibleNow, AccountErased, PreconditionFailed)
    | shows(200, CANCELLED),
)
async def cancel(
    order_id: UUID,
    response: Response,
    principal: Authenticated,
    commit: Commit,
    body: CancellationBody | None = None,
    if_match: IfMatch = None,
) -> OrderOut:
    """End an order before it is shipped, whatever it has become, or only as it was read (`If-Match`).

    Its stock can be sold again.
    """
    whose, note = owner(principal), body.note if body else None
    order = await commit(
        lambda book: cancel_order(book, order_id, whose, "customer" if whose else "staff", note, if_match or ANY),
        lambda book: want_order(book, order_id),
    )
    response.headers["ETag"] = etag(order.version)
    return order_out(order)
