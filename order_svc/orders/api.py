"""The routes of orders: place, list, read and cancel."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response, status
from uuid_utils.compat import uuid7

from chassis.http.access_log import log_access
from chassis.http.auth import Authenticated, Principal, VerifiedCustomer
from chassis.http.errors import EmailNotVerified, Forbidden, Unauthenticated
from chassis.http.headers import carries, sends
from chassis.http.hot_route import HotRoute
from chassis.http.idempotency import IdempotencyKey, key_use
from chassis.http.preconditions import ANY, IfMatch, etag
from chassis.http.routing import new_router, problems
from chassis.persistence.postgres.database import Postgres
from order_svc.container import Commit, Database, Feed, Limits, Products
from order_svc.errors import CatalogueUnavailable, OrderNotFound
from order_svc.orders import queries
from order_svc.orders.commands import CancelOrder, PlaceOrder, PlaceOrderOnce
from order_svc.orders.domain import FIRST_VERSION, Order
from order_svc.orders.dto import (
    CancellationBody,
    OrderBody,
    OrderOut,
    OrderQuery,
    OrdersOut,
    as_address,
    as_quantities,
    order_out,
    with_etag,
)
from order_svc.orders.examples import CANCELLED, CONFIRMED, PLACED, shows
from order_svc.orders.prefer_wait import Prefer, Wait, decided_order, wait_preference
from order_svc.orders.product_fallback import commit_with_fallback
from order_svc.orders.queries import OrderFilter, owner_filter

router = new_router()
hot = new_router(route_class=HotRoute)

PLACE_ORDER = "POST /v1/orders"
PLACED_HEADERS = carries("Location", "ETag", "Idempotency-Replayed", "Preference-Applied")
PLACED_ETAG = etag(FIRST_VERSION)


@hot.post(
    "/v1/orders",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=OrderOut,
    tags=["orders"],
    summary="Place an order",
    responses=problems(*(Unauthenticated, Forbidden, EmailNotVerified), *PlaceOrderOnce.errors, CatalogueUnavailable)
    | {
        202: {"content": {"application/json": {"example": PLACED}}, **PLACED_HEADERS},
        201: {
            "model": OrderOut,
            "description": "The order, where the request waited for its stock",
            "content": {"application/json": {"example": CONFIRMED}},
            **PLACED_HEADERS,
        },
    },
)
async def place_order(
    customer: VerifiedCustomer,
    body: OrderBody,
    commit: Commit,
    products: Products,
    feed: Feed,
    database: Database,
    limits: Limits,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
    wait: Wait = None,
) -> Response:
    """Accept an order. It is PENDING until its stock is decided; follow its timeline, or read it at `Location`.

    Only accounts with a verified e-mail address can order: an order causes mails to it.

    A request that waits (`Prefer: wait=5`, `?wait=5`) gets 201 with the order CONFIRMED, REJECTED or CANCELLED, or
    202 where it is still PENDING. A repeated request gets its first response again, with the `ETag` of that time; if
    it waits, it gets the order as it is now.
    """
    order_id = uuid7()
    # Without a key from the client, the order's id serves as a key that no other request can have used.
    key = key_use(customer.id, PLACE_ORDER, idempotency_key or str(order_id), body.model_dump_json())
    command = PlaceOrder(
        order_id,
        customer.id,
        as_quantities(body.lines),
        as_address(body.shipping_address),
        as_address(body.billing_address),
        body.notes,
        body.currency,
        limits,
    )
    stored, replayed = await commit_with_fallback(commit, products, PlaceOrderOnce(command, key))
    headers = {"Location": f"/v1/orders/{stored.order_id}", "ETag": PLACED_ETAG}
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    content, code = stored.response, status.HTTP_202_ACCEPTED
    if (preference := wait_preference(prefer, wait)) and (
        order := await decided_order(feed, database, stored.order_id, customer.id, preference)
    ):
        content = order_out(order).model_dump_json()
        headers |= {"ETag": etag(order.version), **preference.applied}
        code = status.HTTP_202_ACCEPTED if order.state == "PENDING" else status.HTTP_201_CREATED
    return Response(content, code, headers, media_type="application/json")


@router.get("/v1/orders", tags=["orders"], summary="List orders", responses=problems(Unauthenticated))
async def list_orders(
    principal: Authenticated, database: Database, query: Annotated[OrderQuery, Query()]
) -> OrdersOut:
    """Your own orders, newest first; all orders for staff, who see whose they are.

    A page stays the same when new orders are placed.
    Where few orders match `state`, `return_request` or `q`, a page can have fewer than `limit` orders, even none, and
    still a `next`: a page searches some thousands of orders at most.
    """
    wanted = OrderFilter(
        *(query.customer_id, tuple(query.state), tuple(query.return_request)),
        *(query.placed_from, query.placed_to, query.q),
    )
    page = await queries.list_orders(database, owner_filter(principal), wanted, query.cursor, query.limit)
    log_access(principal, "order.list", query.customer_id)
    names = await _names_for(principal, database, page.orders)
    return OrdersOut(items=[order_out(order, names) for order in page.orders], next=page.next)


@router.get(
    "/v1/orders/{order_id}",
    tags=["orders"],
    summary="Read an order",
    responses=problems(Unauthenticated, OrderNotFound) | sends(200, "ETag"),
)
async def read_order(order_id: UUID, principal: Authenticated, database: Database, response: Response) -> OrderOut:
    """One of your own orders; any order for staff, who see whose it is.

    Send its `ETag` as `If-Match` with a change.
    """
    order = await queries.find_order(database, order_id, owner_filter(principal))
    log_access(principal, "order.read", order_id)
    return with_etag(response, order, await _names_for(principal, database, [order]))


async def _names_for(principal: Principal, database: Postgres, found: list[Order]) -> Mapping[UUID, str] | None:
    """The names of the customers of orders, for staff; None for all others."""
    return await queries.customer_names(database, found) if principal.role == "staff" else None


@router.post(
    "/v1/orders/{order_id}/cancel",
    tags=["orders"],
    summary="Cancel an order",
    responses=problems(Unauthenticated, *CancelOrder.errors) | shows(200, CANCELLED),
)
async def cancel_order(
    order_id: UUID,
    response: Response,
    principal: Authenticated,
    commit: Commit,
    body: CancellationBody | None = None,
    if_match: IfMatch = None,
) -> OrderOut:
    """End an order before it is shipped; with `If-Match`, only if it has not changed since it was read.

    Its stock becomes available again.
    """
    owner, note = owner_filter(principal), body.note if body else None
    return with_etag(response, await commit(CancelOrder(order_id, owner, note, if_match or ANY)))
