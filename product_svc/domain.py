"""Stock and reservations: types and rules, without any I/O.

Of every SKU, ``on_hand`` pieces are there and ``reserved`` of them are promised to orders; what can be
sold is the difference, and it is never negative. A reservation holds all lines of an order or none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from chassis.unit import later
from product_svc.errors import StockTooLow
from schemas import (
    Line,
    Shortage,
    StockAdjusted,
    StockRejected,
    StockReleased,
    StockReserved,
)


@dataclass(frozen=True, slots=True)
class Stock:
    """The pieces of one SKU. ``version`` counts what others are told of it: adjustments, and that it is low.

    ``low_at`` is the number available at which it is low, if staff has set one; ``low`` is whether it is.
    """

    sku: str
    on_hand: int
    reserved: int
    version: int
    changed_at: datetime
    low_at: int | None = None
    low: bool = False

    @property
    def available(self) -> int:
        """How many can still be promised."""
        return self.on_hand - self.reserved

    def adjust(self, delta: int, reason: str, now: datetime) -> tuple["Stock", StockAdjusted]:
        """Change what is on hand; raise ``StockTooLow`` rather than break a promise."""
        if self.available + delta < 0:
            raise StockTooLow(available=self.available)
        stock = replace(
            self,
            on_hand=self.on_hand + delta,
            version=self.version + 1,
            changed_at=later(now, self.changed_at),
        )
        return stock, StockAdjusted(
            sku=self.sku, delta=delta, reason=reason, on_hand=stock.on_hand, reserved=stock.reserved
        )

    def promise(self, quantity: int) -> "Stock":
        """Reserve so many; negative to give them back."""
        return replace(self, reserved=self.reserved + quantity)


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


@dataclass(frozen=True, slots=True)
class Reservation:
    """What an order was promised. It outlives its end, so that a late or repeated request finds it."""

    order_id: UUID
    state: Literal["held", "rejected", "released"]
    lines: tuple[Line, ...]
    version: int
    changed_at: datetime


def reserve(
    order_id: UUID, lines: Sequence[Line], stocks: Mapping[str, Stock | None], now: datetime
) -> tuple[Reservation, list[Stock], StockReserved | StockRejected]:
    """Promise every line, or none and say what is short. Lines of the same SKU count together."""
    wanted = summed(lines)
    shortages = [short for line in wanted if (short := _shortage(line, stocks.get(line.sku)))]
    if shortages:
        refused = Reservation(order_id, "rejected", (), 1, now)
        return refused, [], StockRejected(order_id=order_id, shortages=tuple(shortages))
    promised = [stock.promise(line.quantity) for line in wanted if (stock := stocks.get(line.sku)) is not None]
    held = Reservation(order_id, "held", wanted, 1, now)
    return held, promised, StockReserved(order_id=order_id, lines=wanted)


def release(
    order_id: UUID, held: Reservation | None, stocks: Mapping[str, Stock | None], now: datetime
) -> tuple[Reservation, list[Stock], StockReleased] | None:
    """Give back what an order was promised; None where it was given back, or refused, before.

    Where nothing is known of the order yet, the request to reserve is still to come: a tombstone makes
    sure that it finds the order ended.
    """
    if held is None:
        return Reservation(order_id, "released", (), 1, now), [], StockReleased(order_id=order_id, lines=())
    if held.state != "held":
        return None
    freed = [stock.promise(-line.quantity) for line in held.lines if (stock := stocks.get(line.sku))]
    ended = replace(
        held, state="released", lines=(), version=held.version + 1, changed_at=later(now, held.changed_at)
    )
    return ended, freed, StockReleased(order_id=order_id, lines=held.lines)


def summed(lines: Sequence[Line]) -> tuple[Line, ...]:
    """One line a SKU, in the order of their first mention."""
    totals: dict[str, int] = {}
    for line in lines:
        totals[line.sku] = totals.get(line.sku, 0) + line.quantity
    return tuple(Line(sku=sku, quantity=quantity) for sku, quantity in totals.items())


def _shortage(line: Line, stock: Stock | None) -> Shortage | None:
    if stock is None:
        return Shortage(sku=line.sku, requested=line.quantity, available=0, reason="unknown")
    if stock.available < line.quantity:
        return Shortage(sku=line.sku, requested=line.quantity, available=stock.available, reason="short")
    return None
