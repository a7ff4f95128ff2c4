"""The routes by which ops see and resolve orders that wait for a reply about their stock."""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query

from chassis.http.auth import Ops
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.ops_actions import ActionRequest, RequiredKey
from chassis.http.paging import IdCursor
from chassis.http.routing import new_router, problems
from order_svc.container import Commit, Database, StuckSeconds
from order_svc.orders.dto import OrderOut, order_out
from order_svc.saga.commands import CancelSaga, ResolveSaga, RetrySaga
from order_svc.saga.dto import Resolution, SagaOut, SagasOut, saga_out
from order_svc.saga.queries import waiting_sagas

router = new_router(Unauthenticated, Forbidden)

RESOLUTIONS: Mapping[str, Callable[[UUID], RetrySaga | CancelSaga]] = {"retry": RetrySaga, "cancel": CancelSaga}


@router.get("/v1/sagas", tags=["sagas"], summary="List orders that wait for their stock")
async def list_sagas(
    _ops: Ops,
    database: Database,
    stuck_seconds: StuckSeconds,
    state: Annotated[
        Literal["waiting", "stuck"],
        Query(description="`stuck`: only orders that have waited for longer than they should, or lost pieces"),
    ] = "waiting",
    cursor: IdCursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> SagasOut:
    """Orders, and amendments of orders, that product_svc has not replied to yet; and orders that have lost pieces.

    The latter (step `lost`) are stuck from the beginning: staff cancel them, cancel what is left of them, or amend
    them; or ops retry them once there is new stock.
    """
    found = await waiting_sagas(database, stuck_seconds if state == "stuck" else 0.0, cursor, limit + 1)
    page: list[SagaOut] = [saga_out(saga) for saga in found[:limit]]
    return SagasOut(items=page, next=page[-1].order_id if len(found) > limit else None)


@router.post(
    "/v1/sagas/{order_id}/resolve",
    tags=["sagas"],
    summary="Resolve an order that waits",
    responses=problems(*ResolveSaga.errors),
)
async def resolve_saga(order_id: UUID, body: Resolution, ops: Ops, key: RequiredKey, commit: Commit) -> OrderOut:
    """Request its stock once more, with a new deadline; or cancel the order, or withdraw its amendment.

    `retry` of an order with the step `lost` requests the missing pieces: all of them are reserved, or none.

    Where the order waits for nothing, `allowed` lists what can be done instead. It is recorded with the actions
    of ops, and not in the timeline, which the customer reads.
    """
    request = ActionRequest(ops, key, f"saga.{body.action}", str(order_id), body, route="saga.resolve")
    action = request.recorded(str(order_id), body.why)
    return order_out(await commit(ResolveSaga(RESOLUTIONS[body.action](order_id), action)))
