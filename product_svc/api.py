"""The routes of stock; those of the catalogue are in ``catalogue.api``."""

from typing import Annotated

from fastapi import Path, status

from chassis.auth import Staff
from chassis.errors import Forbidden, Unauthenticated
from chassis.groupcommit import GroupCommit
from chassis.rest import new_router, problems, state
from product_svc import queries
from product_svc.commands import adjust_stock
from product_svc.dto import Adjustment, StockOut, stock_out
from product_svc.errors import SkuUnknown, StockTooLow
from product_svc.store import Warehouse
from schemas.values import Sku

router = new_router()

Commit = Annotated[GroupCommit[Warehouse], state("commit")]
SkuInPath = Annotated[Sku, Path(examples=["MUG-BLUE"])]


@router.get("/v1/stock/{sku}", tags=["stock"], summary="Read the stock of a SKU", responses=problems(SkuUnknown))
async def read_stock(sku: SkuInPath) -> StockOut:
    """How many are on hand, reserved and available."""
    return stock_out(await queries.stock(sku))


@router.post(
    "/v1/stock/{sku}/adjustments",
    status_code=status.HTTP_201_CREATED,
    tags=["stock"],
    summary="Adjust the stock of a SKU",
    responses=problems(Unauthenticated, Forbidden, SkuUnknown, StockTooLow),
)
async def adjust(sku: SkuInPath, body: Adjustment, commit: Commit, _staff: Staff) -> StockOut:
    """Book a delivery, a count or a damage."""
    stock = await commit(
        lambda unit: adjust_stock(unit, sku, body.delta, body.reason), lambda unit: unit.stock.want(sku)
    )
    return stock_out(stock)
