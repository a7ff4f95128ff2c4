"""The bodies of the REST API of stock; those of the catalogue are in ``catalogue.dto``."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.paging import Page
from product_svc.domain import Movement, Stock
from schemas.values import Text

MAX_QUANTITY = 1_000_000

SkuOut = Annotated[str, Field(examples=["MUG-BLUE"])]


class Adjustment(RequestBody):
    """A change of what is on hand."""

    delta: Annotated[
        int, Field(ge=-MAX_QUANTITY, le=MAX_QUANTITY, description="pieces; negative to take away", examples=[10])
    ]
    reason: Literal["delivery", "count", "damage"]
    note: Annotated[Text, Field(max_length=500, examples=["delivery note 4711"])] = ""


class ThresholdBody(RequestBody):
    """The number available at which a stock is low: at it or below, staff is told."""

    threshold: Annotated[
        Annotated[int, Field(ge=0, le=MAX_QUANTITY)] | None, Field(examples=[5], description="null: never")
    ]


class ThresholdOut(ResponseBody):
    """The number available at which a stock is low, and whether it is."""

    sku: SkuOut
    threshold: Annotated[int | None, Field(examples=[40])]
    low: bool


class MovementOut(ResponseBody):
    """Why the number on hand changed, by whom, and how many there were then."""

    id: UUID
    delta: Annotated[int, Field(examples=[10])]
    reason: Annotated[str, Field(examples=["delivery"])]
    on_hand: Annotated[int | None, Field(examples=[42])]
    by: UUID | None
    note: Annotated[str, Field(examples=["delivery note 4711"])]
    at: datetime


class MovementsOut(Page[MovementOut, UUID]):
    """A page of movements, newest first; ``next`` is the ``before`` of the page that follows, if there is one."""


class StockOut(ResponseBody):
    """The pieces of one SKU: available is what is on hand and not reserved."""

    sku: SkuOut
    on_hand: Annotated[int, Field(examples=[42])]
    reserved: Annotated[int, Field(examples=[4])]
    available: Annotated[int, Field(examples=[38])]


class LowOut(StockOut):
    """A stock that is low, and the threshold that it has fallen to."""

    threshold: Annotated[int | None, Field(examples=[40])]


class LowStockOut(Page[LowOut, str]):
    """A page of what is low; ``next`` is the ``after`` of the page that follows, if there is one."""

    next: Annotated[str | None, Field(examples=["MUG-BLUE"])]


def stock_out(stock: Stock) -> StockOut:
    """A stock as everybody sees it."""
    return StockOut(sku=stock.sku, on_hand=stock.on_hand, reserved=stock.reserved, available=stock.available)


def low_out(stock: Stock) -> LowOut:
    """A stock that is low as staff sees it."""
    return LowOut(**stock_out(stock).model_dump(), threshold=stock.low_at)


def threshold_out(stock: Stock) -> ThresholdOut:
    """A stock's threshold as staff sees it."""
    # Not the flag, which is turned when the transaction that made it so is saved.
    return ThresholdOut(sku=stock.sku, threshold=stock.low_at, low=stock.short)


def movement_out(movement: Movement) -> MovementOut:
    """A movement as staff sees it."""
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
