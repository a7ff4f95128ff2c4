"""The routes by which those who run the shop see and resolve orders that wait."""

from dataclasses import asdict
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query

from chassis.http.auth import Ops
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.routing import new_router, problems
from order_svc.container import Commit, Database, StuckSeconds
from order_svc.dto import OrderOut, order_out
from order_svc.errors import NotPossibleNow, OrderUnknown
from order_svc.sagas.commands import cancel_saga, retry_saga
from order_svc.sagas.dto import Resolution, SagaOut, SagasOut
from order_svc.sagas.queries import waiting

router = new_router(Unauthenticated, Forbidden)


@router.get("/v1/sagas", tags=["sagas"], summary="List the orders that wait for their stock")
async def list_sagas(
    _ops: Ops,
    database: Database,
    stuck_seconds: StuckSeconds,
    told: Annotated[
        Literal["waiting", "stuck"],
        Query(alias="state", description="`stuck`: those that have waited for longer than they should"),
    ] = "waiting",
    after: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> SagasOut:
    """Orders, and amendments of orders, that product_svc has not answered yet."""
    found = await waiting(database, stuck_seconds if told == "stuck" else 0.0, after, limit + 1)
    page = [SagaOut(**asdict(one)) for one in found[:limit]]
    return SagasOut(items=page, next=page[-1].order_id if len(found) > limit else None)


@router.post(
    "/v1/sagas/{order_id}/resolve",
    tags=["sagas"],
    summary="Resolve an order that waits",
    responses=problems(OrderUnknown, NotPossibleNow),
)
async def resolve(order_id: UUID, body: Resolution, _ops: Ops, commit: Commit) -> OrderOut:
    """Ask for its stock once more, with another deadline; or cancel the order, or withdraw its amendment.

    Where nothing is waited for, `allowed` says what can be done instead.
    """
    act = {"retry": retry_saga, "cancel": cancel_saga}[body.action]
    order = await commit(lambda book: act(book, order_id), lambda book: book.orders.prefetch(order_id))
    return order_out(order)
