"""The REST bodies of stock."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.fields import Prose
from chassis.http.paging import NEXT, Page
from product_svc.stock.domain import Movement, Stock
from schemas.values import Sku

MAX_QUANTITY = 1_000_000

SkuInPath = Annotated[Sku, Path(examples=["MUG-BLUE"])]
SkuOut = Annotated[str, Field(examples=["MUG-BLUE"])]


class Adjustment(RequestBody):
    """A change of the number on hand."""

    delta: Annotated[
        int, Field(ge=-MAX_QUANTITY, le=MAX_QUANTITY, description="units; negative to take away", examples=[10])
    ]
    reason: Literal["delivery", "count", "damage"]
    note: Annotated[Prose, Field(max_length=500, examples=["delivery note 4711"])] = ""
    take_held: Annotated[
        bool,
        Field(
            description="also take units that are reserved, of the newest orders first, which then miss them",
            examples=[False],
        ),
    ] = False


class StockQuery(BaseModel):
    """Which stock is listed, and the page to return."""

    model_config = ConfigDict(frozen=True)

    sku: Annotated[
        list[Sku], Field(max_length=100, description="of these SKUs, low or not", examples=[["MUG-BLUE", "MUG-RED"]])
    ] = []
    cursor: Annotated[Sku | None, Field(description=NEXT, examples=["MUG-BLUE"])] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class ThresholdBody(RequestBody):
    """The number available at which a stock is low: at it or below, staff is notified."""

    threshold: Annotated[
        Annotated[int, Field(ge=0, le=MAX_QUANTITY)] | None, Field(examples=[5], description="null: never")
    ]


class ThresholdOut(ResponseBody):
    """The number available at which a stock is low, and whether it is."""

    sku: SkuOut
    threshold: Annotated[int | None, Field(examples=[40])]
    low: bool


class MovementOut(ResponseBody):
    """A change of the number on hand: why, by whom, and the number after it."""

    id: UUID
    delta: Annotated[int, Field(examples=[10])]
    reason: Annotated[str, Field(examples=["delivery"])]
    on_hand: Annotated[int | None, Field(examples=[42])]
    by: UUID | None
    note: Annotated[str, Field(examples=["delivery note 4711"])]
    at: datetime


class MovementsOut(Page[MovementOut, UUID]):
    """A page of movements, newest first; ``next`` is the ``cursor`` of the page that follows, if there is one."""


class StockOut(ResponseBody):
    """The units of one SKU; available are those on hand that are not reserved."""

    sku: SkuOut
    on_hand: Annotated[int, Field(examples=[42])]
    reserved: Annotated[int, Field(examples=[4])]
    available: Annotated[int, Field(examples=[38])]


class ListedStockOut(StockOut):
    """The units of one SKU, and the number available at which they are low."""

    threshold: Annotated[int | None, Field(examples=[40])]


class StocksOut(Page[ListedStockOut, str]):
    """A page of stock; ``next`` is the ``cursor`` of the page that follows, if there is one."""

    next: Annotated[str | None, Field(examples=["MUG-BLUE"])]


def stock_out(stock: Stock) -> StockOut:
    """The body for a stock."""
    return StockOut(sku=stock.sku, on_hand=stock.on_hand, reserved=stock.reserved, available=stock.available)


def listed_out(stock: Stock) -> ListedStockOut:
    """The body for a stock in a list."""
    return ListedStockOut(**stock_out(stock).model_dump(), threshold=stock.threshold)


def threshold_out(stock: Stock) -> ThresholdOut:
    """The body for a threshold."""
    # Not ``stock.low``, which is set at the end of the transaction.
    return ThresholdOut(sku=stock.sku, threshold=stock.threshold, low=stock.at_threshold)


def movement_out(movement: Movement) -> MovementOut:
    """The body for a movement."""
    assert movement.id is not None
    return MovementOut(
        id=movement.id,
        delta=movement.delta,
        reason=movement.reason,
        on_hand=movement.on_hand,
        by=movement.by,
        note=movement.note,
        at=movement.at,
    )
