"""Stock: types and rules, without any I/O. What each order holds of it is in ``reservations.domain``.

Of every SKU, ``on_hand`` units are in the warehouse, and ``reserved`` of them are held for orders. The difference is
available, and it is never negative.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from chassis.persistence.unit_of_work import next_time
from product_svc.errors import InsufficientStock
from schemas import StockAdjusted, StockLow

ORDER_NOTE = "order "
"""The prefix of the note of a movement that an order caused; the order's id follows."""
ORDER_REASONS = ("shipment", "return", "found")
"""The reasons of such movements, which staff cannot give; what was lost and is shipped all the same was found."""

MOST_LOSING = 100
"""How many orders can lose units by one adjustment, which is one transaction."""

Availability = Literal["in_stock", "low", "none"]
"""What everybody may know of a stock: ``low`` from its threshold on, ``none`` also if it is not for sale."""


@dataclass(frozen=True, slots=True)
class Stock:
    """The units of one SKU. ``version`` counts the published events: adjustments, and that the stock became low.

    ``threshold`` is the number available at which the stock is low, if staff has set one. ``low`` says whether it has
    been found low (``stock_low_events``). ``discontinued`` stock cannot be reserved any more; reservations that exist
    stay. ``product_name`` is for people who read that it is low.
    """

    sku: str
    on_hand: int
    reserved: int
    version: int
    changed_at: datetime
    threshold: int | None = None
    low: bool = False
    discontinued: bool = False
    product_name: str | None = None

    @property
    def available(self) -> int:
        """How many units can still be reserved."""
        return self.on_hand - self.reserved

    @property
    def at_threshold(self) -> bool:
        """Whether no more units are available than the threshold, if there is one."""
        return self.threshold is not None and self.available <= self.threshold

    @property
    def threshold_version(self) -> int | str:
        """What changes with the threshold, and only with it."""
        return "unset" if self.threshold is None else self.threshold

    @property
    def orderable(self) -> bool:
        """Whether units can be ordered."""
        return not self.discontinued and self.available > 0

    @property
    def availability(self) -> Availability:
        """Whether units can be ordered, and whether many can, without a number."""
        if not self.orderable:
            return "none"
        return "low" if self.at_threshold else "in_stock"

    def adjust(self, delta: int, reason: str, now: datetime) -> tuple["Stock", StockAdjusted]:
        """Change the number on hand; raise ``InsufficientStock`` if reserved units would be missing."""
        if self.available + delta < 0:
            raise InsufficientStock(available=self.available)
        stock = replace(
            self,
            on_hand=self.on_hand + delta,
            version=self.version + 1,
            changed_at=next_time(now, self.changed_at),
        )
        return stock, StockAdjusted(
            sku=self.sku, delta=delta, reason=reason, on_hand=stock.on_hand, reserved=stock.reserved
        )

    def reserve(self, quantity: int) -> "Stock":
        """Reserve units; a negative quantity releases them."""
        return replace(self, reserved=self.reserved + quantity)

    def ship(self, quantity: int) -> "Stock":
        """Remove reserved units that left the warehouse."""
        return replace(self, on_hand=self.on_hand - quantity, reserved=self.reserved - quantity)

    def restock(self, quantity: int) -> "Stock":
        """Add units that were returned."""
        return replace(self, on_hand=self.on_hand + quantity)


@dataclass(frozen=True, slots=True)
class Movement:
    """A change of the number on hand, and its reason."""

    sku: str
    delta: int
    reason: str
    at: datetime
    on_hand: int | None = None
    """The number after the change; the first release did not store it."""
    by: UUID | None = None
    note: str = ""
    id: UUID | None = None
    """None until it is stored."""

    @property
    def order_id(self) -> str | None:
        """The order that caused the movement; None if staff did, who cannot give these reasons."""
        return self.note.removeprefix(ORDER_NOTE) if self.reason in ORDER_REASONS else None


def order_movement(before: Stock, after: Stock, order_id: UUID, reason: str, at: datetime) -> Movement | None:
    """The movement that an order caused; None where the number on hand stayed as it was."""
    delta = after.on_hand - before.on_hand
    return Movement(after.sku, delta, reason, at, after.on_hand, note=f"{ORDER_NOTE}{order_id}") if delta else None


def stock_low_events(stocks: Iterable[Stock], now: datetime) -> Iterator[tuple[Stock, StockLow | None]]:
    """The stock whose ``low`` is wrong: corrected, with the event if it has become low.

    ``StockLow`` is published once each time the number available falls to the threshold, and not again before it has
    risen above. It is decided once a transaction, after all commands: stock that was low only in between is not
    published.
    """
    for stock in stocks:
        if stock.low and not stock.at_threshold:
            yield replace(stock, low=False), None
        elif not stock.low and stock.at_threshold and stock.threshold is not None:
            fallen = replace(stock, low=True, version=stock.version + 1, changed_at=next_time(now, stock.changed_at))
            yield (
                fallen,
                StockLow(
                    sku=stock.sku,
                    available=stock.available,
                    threshold=stock.threshold,
                    on_hand=stock.on_hand,
                    reserved=stock.reserved,
                    product_name=stock.product_name,
                ),
            )
