"""The bodies of the REST API of stock; those of the catalogue are in ``catalogue.dto``."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from chassis.rest import Answer, Body
from product_svc.domain import Stock

MAX_QUANTITY = 1_000_000


class Adjustment(Body):
    """A change of what is on hand."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"delta": 10, "reason": "delivery"}]})

    delta: Annotated[int, Field(ge=-MAX_QUANTITY, le=MAX_QUANTITY, description="pieces; negative to take away")]
    reason: Literal["delivery", "count", "damage"]


class StockOut(Answer):
    """The pieces of one SKU: available is what is on hand and not reserved."""

    sku: str
    on_hand: int
    reserved: int
    available: int


def stock_out(stock: Stock) -> StockOut:
    """A stock as everybody sees it."""
    return StockOut(sku=stock.sku, on_hand=stock.on_hand, reserved=stock.reserved, available=stock.available)
