"""The routes of stock."""

from typing import Annotated

from fastapi import Query, Response, status

from chassis.http.auth import Staff
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.headers import sends
from chassis.http.idempotency import IdempotencyKey, key_use
from chassis.http.paging import IdCursor
from chassis.http.preconditions import IfMatch, etag
from chassis.http.routing import new_router, problems
from product_svc.container import OPTIONAL_TOKEN, Commit, Database, IdempotencySeconds, IsStaff, catalogue_page
from product_svc.errors import SkuNotFound
from product_svc.idempotency.commands import ExecuteOnce
from product_svc.stock import queries
from product_svc.stock.commands import AdjustStock, SetThreshold
from product_svc.stock.domain import Stock
from product_svc.stock.dto import (
    Adjustment,
    MovementsOut,
    SkuInPath,
    StockOut,
    StockQuery,
    StocksOut,
    ThresholdBody,
    ThresholdOut,
    listed_out,
    movement_out,
    stock_out,
    threshold_out,
)

router = new_router()


@router.get(
    "/v1/stock/{sku}",
    tags=["stock"],
    summary="Read the stock of a SKU",
    responses=problems(Unauthenticated, SkuNotFound),
    openapi_extra=OPTIONAL_TOKEN,
)
@catalogue_page
async def read_stock(sku: SkuInPath, database: Database, is_staff: IsStaff) -> StockOut:
    """How many units are on hand, reserved and available. Only staff can read the stock of a draft."""
    return stock_out(await queries.visible_stock(database, sku, drafts=is_staff))


@router.post(
    "/v1/stock/{sku}/adjustments",
    status_code=status.HTTP_201_CREATED,
    tags=["stock"],
    summary="Adjust the stock of a SKU",
    responses=problems(Unauthenticated, Forbidden, *AdjustStock.errors, *ExecuteOnce.errors)
    | sends(201, "Idempotency-Replayed"),
)
async def adjust_stock(
    sku: SkuInPath,
    body: Adjustment,
    commit: Commit,
    staff: Staff,
    response: Response,
    seconds: IdempotencySeconds,
    idempotency_key: IdempotencyKey = None,
) -> StockOut:
    """Record a delivery, a count or damage.

    What is reserved for orders is not taken away (`insufficient_stock`) unless the request says `take_held`. Then the
    newest orders lose the rest, at most 100 of them at once: they cannot ship it, and are stuck until staff resolve
    them. `available` in `insufficient_stock` is the number that the request could have taken away.

    With an `Idempotency-Key`, a repeated request changes nothing and returns the first response again. A key belongs
    to the staff member who sent it, and to this SKU.
    """
    adjustment = AdjustStock(sku, body.delta, body.reason, staff.id, body.note, body.take_held)
    if idempotency_key is None:
        return stock_out(await commit(adjustment))
    # Without the field where it is not used: requests from before there was one can be repeated.
    content = body.model_dump_json(exclude=None if body.take_held else {"take_held"})
    use = key_use(staff.id, f"POST /v1/stock/{sku}/adjustments", idempotency_key, content)
    stored, replayed = await commit(ExecuteOnce(adjustment, stock_out, use, seconds))
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return StockOut.model_validate_json(stored.response)


@router.get("/v1/stock", tags=["stock"], summary="List stock", responses=problems(Unauthenticated, Forbidden))
async def list_stock(database: Database, _staff: Staff, query: Annotated[StockQuery, Query()]) -> StocksOut:
    """The stock of the SKUs in `sku`, as far as they exist; without `sku`, all stock that is low. By SKU."""
    found = await queries.stocks(database, query.sku, query.cursor, query.limit + 1)
    page = [listed_out(stock) for stock in found[: query.limit]]
    return StocksOut(items=page, next=page[-1].sku if len(found) > query.limit else None)


@router.get(
    "/v1/stock/{sku}/threshold",
    tags=["stock"],
    summary="Read the threshold of a SKU",
    responses=problems(Unauthenticated, Forbidden, SkuNotFound) | sends(200, "ETag"),
)
async def read_threshold(sku: SkuInPath, response: Response, _staff: Staff) -> ThresholdOut:
    """The number available at which the stock is low. The version changes with the threshold, not with the stock."""
    return _tagged(response, await queries.stock(sku))


@router.put(
    "/v1/stock/{sku}/threshold",
    tags=["stock"],
    summary="Set the threshold of a SKU",
    responses=problems(Unauthenticated, Forbidden, *SetThreshold.errors) | sends(200, "ETag"),
)
async def put_threshold(
    sku: SkuInPath, body: ThresholdBody, response: Response, commit: Commit, _staff: Staff, if_match: IfMatch = None
) -> ThresholdOut:
    """`stock.low` is published each time the number available falls to the threshold; at once if it is there now."""
    return _tagged(response, await commit(SetThreshold(sku, if_match, body.threshold)))


@router.get(
    "/v1/stock/{sku}/movements",
    tags=["stock"],
    summary="List the movements of a SKU",
    responses=problems(Unauthenticated, Forbidden, SkuNotFound),
)
async def list_movements(
    sku: SkuInPath,
    database: Database,
    _staff: Staff,
    cursor: IdCursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> MovementsOut:
    """Every change of the number on hand, newest first. Movements that are added later do not shift the pages.

    Reservations are not movements: an order's timeline shows what was reserved and released.
    """
    found = await queries.movements(database, sku, cursor, limit + 1)
    page = [movement_out(movement) for movement in found[:limit]]
    return MovementsOut(items=page, next=page[-1].id if len(found) > limit else None)


def _tagged(response: Response, stock: Stock) -> ThresholdOut:
    response.headers["ETag"] = etag(stock.threshold_version)
    return threshold_out(stock)
