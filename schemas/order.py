"""What order_svc tells: the life of an order.

The events carry what their readers need (lines, total, address), so that a reader never has to ask back.
"""

from typing import Literal

from pydantic import Field

from schemas.event import Event, event
from schemas.topics import ORDER_EVENTS
from schemas.values import Address, Id, Money, PricedLine, Shortage


@event("order.placed", topic=ORDER_EVENTS, key="order_id")
class OrderPlaced(Event):
    """A customer placed an order; its stock is to be reserved."""

    order_id: Id
    customer_id: Id
    lines: tuple[PricedLine, ...] = Field(min_length=1)
    total: Money
    shipping_address: Address


@event("order.confirmed", topic=ORDER_EVENTS, key="order_id")
class OrderConfirmed(Event):
    """Its stock is reserved: the order will be fulfilled."""

    order_id: Id
    customer_id: Id
    lines: tuple[PricedLine, ...] = Field(min_length=1)
    total: Money
    shipping_address: Address


@event("order.rejected", topic=ORDER_EVENTS, key="order_id")
class OrderRejected(Event):
    """Its stock could not be reserved; the order has ended."""

    order_id: Id
    customer_id: Id
    lines: tuple[PricedLine, ...] = Field(min_length=1)
    shortages: tuple[Shortage, ...]


@event("order.cancelled", topic=ORDER_EVENTS, key="order_id")
class OrderCancelled(Event):
    """The order has ended before shipping; whatever is reserved for it is to be released."""

    order_id: Id
    customer_id: Id
    reason: Literal["timeout", "customer", "staff"] = Field(examples=["timeout"])
