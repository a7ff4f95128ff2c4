"""The routes of stock; those of the catalogue are in ``catalogue.api``."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response, status

from chassis.http.auth import Staff
from chassis.http.errors import Forbidden, IdempotencyKeyReused, Unauthenticated
from chassis.http.headers import sends
from chassis.http.idempotency import IdempotencyKey, KeyUse, key_use, respond_once
from chassis.http.preconditions import IfMatch, PreconditionFailed, PreconditionRequired, etag
from chassis.http.routing import new_router, problems
from chassis.persistence.group_commit import GroupCommit
from product_svc import queries
from product_svc.answers import Answered
from product_svc.commands import adjust_stock, set_threshold
from product_svc.container import Commit, Database, KeptSeconds
from product_svc.domain import Stock
from product_svc.dto import (
    Adjustment,
    LowStockOut,
    MovementsOut,
    StockOut,
    ThresholdBody,
    ThresholdOut,
    low_out,
    movement_out,
    stock_out,
    threshold_out,
)
from product_svc.errors import SkuUnknown, StockTooLow
from product_svc.needs import EVERYBODY, IsStaff, SkuInPath
from product_svc.store import Warehouse
from schemas.values import Sku

router = new_router()


@router.get(
    "/v1/stock/{sku}",
    tags=["stock"],
    summary="Read the stock of a SKU",
    responses=problems(Unauthenticated, SkuUnknown),
    openapi_extra=EVERYBODY,
)
async def read_stock(sku: SkuInPath, database: Database, is_staff: IsStaff) -> StockOut:
    """How many are on hand, reserved and available. That of a draft is there for staff only."""
    return stock_out(await queries.stock_on_show(database, sku, drafts=is_staff))


@router.post(
    "/v1/stock/{sku}/adjustments",
    status_code=status.HTTP_201_CREATED,
    tags=["stock"],
    summary="Adjust the stock of a SKU",
    responses=problems(Unauthenticated, Forbidden, SkuUnknown, StockTooLow, IdempotencyKeyReused)
    | sends(201, "Idempotency-Replayed"),
)
async def adjust(
    sku: SkuInPath,
    body: Adjustment,
    commit: Commit,
    staff: Staff,
    response: Response,
    seconds: KeptSeconds,
    idempotency_key: IdempotencyKey = None,
) -> StockOut:
    """Book a delivery, a count or a damage.

    With an `Idempotency-Key`, which is one's own and of this SKU, a repeated request books nothing: it gets its first
    answer again.
    """

    def book(unit: Warehouse) -> StockOut:
        return stock_out(adjust_stock(unit, sku, body.delta, body.reason, staff.id, body.note))

    if idempotency_key is None:
        return await commit(book, lambda unit: unit.stock.prefetch(sku))
    use = key_use(staff.id, f"POST /v1/stock/{sku}/adjustments", idempotency_key, body.model_dump_json())
    answered, repeated = await _once(commit, sku, use, book, seconds)
    if repeated:
        response.headers["Idempotency-Replayed"] = "true"
    return StockOut.model_validate_json(answered.answer)


async def _once(
    commit: GroupCommit[Warehouse], sku: str, use: KeyUse, book: Callable[[Warehouse], StockOut], seconds: float
) -> tuple[Answered, bool]:
    def act(unit: Warehouse) -> Answered:
        until = unit.now + timedelta(seconds=seconds)
        return Answered(use.id, use.fingerprint, book(unit).model_dump_json(), until)

    def wants(unit: Warehouse) -> None:
        unit.answered.prefetch(use.id)
        unit.stock.prefetch(sku)

    return await commit(lambda unit: respond_once(unit.answered, use, lambda: act(unit)), wants)


@router.get("/v1/stock", tags=["stock"], summary="List what is low", responses=problems(Unauthenticated, Forbidden))
async def list_low_stock(
    database: Database,
    _staff: Staff,
    after: Annotated[Sku | None, Query(description="`next` of the page before", examples=["MUG-BLUE"])] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> LowStockOut:
    """The stock of which no more is available than its threshold, by SKU."""
    found = await queries.low_stock(database, after, limit + 1)
    page = [low_out(stock) for stock in found[:limit]]
    return LowStockOut(items=page, next=page[-1].sku if len(found) > limit else None)


@router.get(
    "/v1/stock/{sku}/threshold",
    tags=["stock"],
    summary="Read the threshold of a SKU",
    responses=problems(Unauthenticated, Forbidden, SkuUnknown) | sends(200, "ETag"),
)
async def read_threshold(sku: SkuInPath, response: Response, _staff: Staff) -> ThresholdOut:
    """At which number available it is low. The ETag is that of the threshold, whatever becomes of the stock."""
    return _tagged(response, await queries.stock(sku))


@router.put(
    "/v1/stock/{sku}/threshold",
    tags=["stock"],
    summary="Set the threshold of a SKU",
    responses=problems(
        *(Unauthenticated, Forbidden, SkuUnknown, PreconditionFailed, PreconditionRequired),
    )
    | sends(200, "ETag"),
)
async def put_threshold(
    sku: SkuInPath, body: ThresholdBody, response: Response, commit: Commit, _staff: Staff, if_match: IfMatch = None
) -> ThresholdOut:
    """`stock.low` is told each time that no more is available than this; at respond_once, if it is so now."""
    stock = await commit(
        lambda unit: set_threshold(unit, sku, if_match, body.threshold), lambda unit: unit.stock.prefetch(sku)
    )
    return _tagged(response, stock)


@router.get(
    "/v1/stock/{sku}/movements",
    tags=["stock"],
    summary="Read the ledger of a SKU",
    responses=problems(Unauthenticated, Forbidden, SkuUnknown),
)
async def list_movements(
    sku: SkuInPath,
    database: Database,
    _staff: Staff,
    before: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> MovementsOut:
    """Every change of the number on hand, newest first. A page stays the same when others are booked.

    What is set aside for an order, or given back before it is shipped, moves nothing: it is in the order's timeline.
    """
    found = await queries.movements(database, sku, before, limit + 1)
    page = [movement_out(movement) for movement in found[:limit]]
    return MovementsOut(items=page, next=page[-1].id if len(found) > limit else None)


def _tagged(response: Response, stock: Stock) -> ThresholdOut:
    response.headers["ETag"] = etag(stock.low_at)
    return threshold_out(stock)
