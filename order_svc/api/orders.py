"""The routes of one order: place and read."""

from uuid import UUID

from fastapi import Response, status
from uuid_utils.compat import uuid7

from chassis.http.auth import Authenticated, Customer
from chassis.http.errors import Forbidden, IdempotencyKeyReused, Unauthenticated
from chassis.http.headers import carries, sends
from chassis.http.hot_route import HotRoute
from chassis.http.idempotency import IdempotencyKey, KeyUse, key_use, respond_once
from chassis.http.preconditions import etag
from chassis.http.routing import new_router, problems
from chassis.persistence.group_commit import GroupCommit
from order_svc import queries
from order_svc.api.learning import once_known
from order_svc.api.needs import owner
from order_svc.api.waiting import Prefer, Wait, patience, settled
from order_svc.commands import Basket, place_order, want_basket
from order_svc.container import Asking, Commit, Database, Watching
from order_svc.domain import FIRST_VERSION, summed
from order_svc.dto import OrderBody, OrderOut, order_out
from order_svc.errors import (
    AccountDeactivated,
    AccountErased,
    CatalogueUnavailable,
    MixedCurrencies,
    NoShippingAddress,
    NotForSale,
    OrderTooLarge,
    OrderUnknown,
    OtherCurrency,
    SkuUnknown,
)
from order_svc.examples import CONFIRMED, PLACED
from order_svc.store import Answered, OrderBook

router = new_router()
hot = new_router(route_class=HotRoute)

PLACING = carries("Location", "ETag", "Idempotency-Replayed", "Preference-Applied")
AS_PLACED = etag(FIRST_VERSION)


@hot.post(
    "/v1/orders",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=OrderOut,
    tags=["orders"],
    summary="Place an order",
    responses=problems(
        *(
            Unauthenticated,
            Forbidden,
            AccountDeactivated,
            AccountErased,
            NoShippingAddress,
            SkuUnknown,
            NotForSale,
            MixedCurrencies,
            OtherCurrency,
            OrderTooLarge,
            IdempotencyKeyReused,
            CatalogueUnavailable,
        )
    )
    | {
        202: {"content": {"application/json": {"example": PLACED}}, **PLACING},
        201: {
            "model": OrderOut,
            "description": "The order, when its stock was waited for",
            "content": {"application/json": {"example": CONFIRMED}},
            **PLACING,
        },
    },
)
async def place(
    customer: Customer,
    body: OrderBody,
    commit: Commit,
    catalogue: Asking,
    watch: Watching,
    database: Database,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
    wait: Wait = None,
) -> Response:
    """Accept an order. It is PENDING until its stock is reserved; follow its timeline at ``Location``.

    Whoever waits (`Prefer: wait=5`, `?wait=5s`) is answered 201 with the order CONFIRMED, REJECTED or CANCELLED, or
    202 where it is PENDING still. A repeated request gets its first answer again, with the `ETag` that the order had
    then, unless it waits: then it gets the order as it is.
    """
    quantities = summed(body.as_lines())
    basket = Basket(
        uuid7(), customer.id, quantities, body.address(), body.bill_to(), body.notes, currency=body.currency
    )
    # Without a key of the client's, the order's id is one that nobody else can have used.
    key = idempotency_key or str(basket.order_id)
    use = key_use(customer.id, "POST /v1/orders", key, body.model_dump_json())
    answered, repeated = await once_known(commit, catalogue, lambda: _placed(commit, basket, use))
    headers = {"Location": f"/v1/orders/{answered.order_id}", "ETag": AS_PLACED}
    if repeated:
        headers["Idempotency-Replayed"] = "true"
    content, code = answered.answer, status.HTTP_202_ACCEPTED
    if (patient := patience(prefer, wait)) and (
        order := await settled(watch, database, answered.order_id, customer.id, patient)
    ):
        content = order_out(order).model_dump_json()
        headers |= {"ETag": etag(order.version), **patient.applied}
        code = status.HTTP_202_ACCEPTED if order.state == "PENDING" else status.HTTP_201_CREATED
    return Response(content, code, headers, media_type="application/json")


async def _placed(commit: GroupCommit[OrderBook], basket: Basket, use: KeyUse) -> tuple[Answered, bool]:
    def act(book: OrderBook) -> Answered:
        order = place_order(book, basket)
        return Answered(use.id, use.fingerprint, order.id, order_out(order).model_dump_json())

    def wants(book: OrderBook) -> None:
        book.answered.prefetch(use.id)
        want_basket(book, basket)

    return await commit(lambda book: respond_once(book.answered, use, lambda: act(book)), wants)


@router.get(
    "/v1/orders/{order_id}",
    tags=["orders"],
    summary="Read an order",
    responses=problems(Unauthenticated, OrderUnknown) | sends(200, "ETag"),
)
async def read_order(order_id: UUID, principal: Authenticated, database: Database, response: Response) -> OrderOut:
    """One of one's own orders; anybody's for staff. Its ETag is what updates want as `If-Match`."""
    order = await queries.order(database, order_id, owner(principal))
    response.headers["ETag"] = etag(order.version)
    return order_out(order)
