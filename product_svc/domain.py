"""Stock: types and rules, without any I/O; what orders hold of it stands in ``reservations.domain``.

Of every SKU, ``on_hand`` pieces are there and ``reserved`` of them are promised to orders; what can be
sold is the difference, and it is never negative.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from chassis.persistence.unit_of_work import next_time
from product_svc.errors import StockTooLow
from schemas import StockAdjusted


@dataclass(frozen=True, slots=True)
class Stock:
    """The pieces of one SKU. ``version`` counts what others are told of it: adjustments, and that it is low.

    ``low_at`` is the number available at which it is low, if staff has set one; ``low`` is whether it is.
    ``discontinued``: no more of it is promised; what is promised stays so.
    """

    sku: str
    on_hand: int
    reserved: int
    version: int
    changed_at: datetime
    low_at: int | None = None
    low: bool = False
    discontinued: bool = False

    @property
    def available(self) -> int:
        """How many can still be promised."""
        return self.on_hand - self.reserved

    @property
    def short(self) -> bool:
        """Whether no more can be promised than the threshold, if there is one."""
        return self.low_at is not None and self.available <= self.low_at

    def adjust(self, delta: int, reason: str, now: datetime) -> tuple["Stock", StockAdjusted]:
        """Change what is on hand; raise ``StockTooLow`` rather than break a promise."""
        if self.available + delta < 0:
            raise StockTooLow(available=self.available)
        stock = replace(
            self,
            on_hand=self.on_hand + delta,
            version=self.version + 1,
            changed_at=next_time(now, self.changed_at),
        )
        return stock, StockAdjusted(
            sku=self.sku, delta=delta, reason=reason, on_hand=stock.on_hand, reserved=stock.reserved
        )

    def promise(self, quantity: int) -> "Stock":
        """Reserve so many; negative to give them back."""
        return replace(self, reserved=self.reserved + quantity)

    def send(self, quantity: int) -> "Stock":
        """Let so many of those that are reserved leave the house."""
        return replace(self, on_hand=self.on_hand - quantity, reserved=self.reserved - quantity)

    def take_back(self, quantity: int) -> "Stock":
        """Put so many back on the shelf."""
        return replace(self, on_hand=self.on_hand + quantity)


@dataclass(frozen=True, slots=True)
class Movement:
    """Why the number on hand changed: with the reservations, the whole history of a stock."""

    sku: str
    delta: int
    reason: str
    at: datetime
    on_hand: int | None = None
    """How many there were after it; not noted by the first release."""
    by: UUID | None = None
    note: str = ""
    id: UUID | None = None
    """Given when it is stored."""
