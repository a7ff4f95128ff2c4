"""The events of product_svc about its stock: replies to orders (by order), and changes (by SKU)."""

from pydantic import Field

from schemas.event import Event, event
from schemas.topics import STOCK_EVENTS
from schemas.values import Id, Line, Shortage, Sku


@event("stock.reserved", topic=STOCK_EVENTS, key="order_id")
class StockReserved(Event):
    """Every line of this revision of the order is reserved for it, and nothing else."""

    order_id: Id
    lines: tuple[Line, ...]
    revision: int = Field(default=1, examples=[1])


@event("stock.rejected", topic=STOCK_EVENTS, key="order_id")
class StockRejected(Event):
    """Nothing was reserved for this revision, because these lines could not be."""

    order_id: Id
    shortages: tuple[Shortage, ...]
    revision: int = Field(default=1, examples=[1])


@event("stock.released", topic=STOCK_EVENTS, key="order_id")
class StockReleased(Event):
    """The stock reserved for the order was released and can be sold again; empty when nothing was reserved.

    ``revision`` is an amendment that the order has decided on: what the order has now stays reserved. Without
    one the order was cancelled, and nothing is; but with ``remainder`` only what was left to ship
    was cancelled, and what the order has shipped is not concerned.
    """

    order_id: Id
    lines: tuple[Line, ...]
    revision: int | None = Field(default=None, examples=[2])
    remainder: bool = Field(default=False, examples=[False])


@event("stock.committed", topic=STOCK_EVENTS, key="order_id")
class StockCommitted(Event):
    """Reserved stock was shipped: it is neither on hand nor reserved any more."""

    order_id: Id
    shipment_id: Id
    lines: tuple[Line, ...]


@event("stock.returned", topic=STOCK_EVENTS, key="order_id")
class StockReturned(Event):
    """Returned goods are on hand again and can be sold."""

    order_id: Id
    return_id: Id
    lines: tuple[Line, ...]


@event("stock.lost", topic=STOCK_EVENTS, key="order_id")
class StockLost(Event):
    """Staff took pieces off the stock that were reserved for this revision of the order: damaged, or not there.

    ``lines`` is everything of the revision that is missing now, of whatever adjustment: of two such events about a
    revision, the one with the higher version counts. It is empty once all of it is reserved again, and as before
    if it could not be. What an order has shipped is not missing, even if the shipment is not known here yet.
    """

    order_id: Id
    lines: tuple[Line, ...]
    revision: int = Field(default=1, examples=[1])


@event("stock.adjusted", topic=STOCK_EVENTS, key="sku")
class StockAdjusted(Event):
    """Staff changed the number on hand: a delivery, a count, a damage."""

    sku: Sku = Field(examples=["MUG-1"])
    delta: int = Field(examples=[10])
    reason: str = Field(examples=["delivery"])
    on_hand: int = Field(examples=[12])
    reserved: int = Field(examples=[2])


@event("stock.low", topic=STOCK_EVENTS, key="sku")
class StockLow(Event):
    """The available quantity has fallen to the threshold that staff set; published once each time it falls there."""

    sku: Sku = Field(examples=["MUG-1"])
    available: int = Field(examples=[3])
    threshold: int = Field(examples=[3])
    on_hand: int = Field(examples=[5])
    reserved: int = Field(examples=[2])
    product_name: str | None = Field(default=None, examples=["Enamel mug"])
