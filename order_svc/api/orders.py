"""The routes of orders: place, read, list, follow."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response, status
from uuid_utils.compat import uuid7

from chassis.auth import Authenticated, Customer
from chassis.errors import Forbidden, Unauthenticated
from chassis.groupcommit import GroupCommit
from chassis.hotroute import HotRoute
from chassis.preconditions import etag
from chassis.rest import new_router, problems
from order_svc import queries
from order_svc.api.learning import once_known
from order_svc.api.needs import Asking, Commit, Database, owner
from order_svc.commands import Basket, place_order, want_basket
from order_svc.domain import summed
from order_svc.dto import OrderBody, OrderOut, OrdersOut, TimelineOut, order_out, timeline_out
from order_svc.errors import (
    AccountDeactivated,
    AccountErased,
    CatalogueUnavailable,
    KeyReused,
    MixedCurrencies,
    NoShippingAddress,
    NotForSale,
    OrderTooLarge,
    OrderUnknown,
    SkuUnknown,
)
from order_svc.idempotency import Claim, IdempotencyKey, claim, once
from order_svc.store import Answered, OrderBook

router = new_router()
hot = new_router(route_class=HotRoute)


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
            OrderTooLarge,
            KeyReused,
            CatalogueUnavailable,
        )
    ),
)
async def place(
    customer: Customer,
    body: OrderBody,
    commit: Commit,
    catalogue: Asking,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Accept an order. It is PENDING until its stock is reserved; follow its timeline at ``Location``."""
    basket = Basket(uuid7(), customer.id, summed(body.as_lines()), body.address(), body.bill_to(), body.notes)
    # Without a key of the client's, the order's id is one that nobody else can have used.
    key = idempotency_key or str(basket.order_id)
    use = claim(customer.id, "POST /v1/orders", key, body.model_dump_json())
    answered, repeated = await once_known(commit, catalogue, lambda: _placed(commit, basket, use))
    headers = {"Location": f"/v1/orders/{answered.order_id}"}
    if repeated:
        headers["Idempotency-Replayed"] = "true"
    return Response(answered.answer, status.HTTP_202_ACCEPTED, headers, media_type="application/json")


async def _placed(commit: GroupCommit[OrderBook], basket: Basket, use: Claim) -> tuple[Answered, bool]:
    def act(book: OrderBook) -> tuple[UUID, str]:
        order = place_order(book, basket)
        return order.id, order_out(order).model_dump_json()

    def wants(book: OrderBook) -> None:
        book.answered.want(use.id)
        want_basket(book, basket)

    return await commit(lambda book: once(book, use, lambda: act(book)), wants)


@router.get("/v1/orders", tags=["orders"], summary="List one's orders", responses=problems(Unauthenticated))
async def list_orders(
    principal: Authenticated,
    database: Database,
    before: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> OrdersOut:
    """One's own orders, newest first; everybody's for staff. A page stays the same when others are placed."""
    found = await queries.history(database, owner(principal), before, limit + 1)
    page = [order_out(order) for order in found[:limit]]
    return OrdersOut(items=page, next=page[-1].id if len(found) > limit else None)


@router.get(
    "/v1/orders/{order_id}",
    tags=["orders"],
    summary="Read an order",
    responses=problems(Unauthenticated, OrderUnknown),
)
async def read_order(order_id: UUID, principal: Authenticated, database: Database, response: Response) -> OrderOut:
    """One of one's own orders; anybody's for staff. Its ETag is what updates want as `If-Match`."""
    order = await queries.order(database, order_id, owner(principal))
    response.headers["ETag"] = etag(order.version)
    return order_out(order)


@router.get(
    "/v1/orders/{order_id}/timeline",
    tags=["orders"],
    summary="Follow an order",
    responses=problems(Unauthenticated, OrderUnknown),
)
async def read_timeline(order_id: UUID, principal: Authenticated, database: Database) -> TimelineOut:
    """Everything that happened to the order so far: its own events, the stock's answers, the mails."""
    order = await queries.order(database, order_id, owner(principal))
    return timeline_out(order, await queries.order_timeline(database, order_id))
