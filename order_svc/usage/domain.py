"""How much an account may order: nobody fills the database, the mailbox of others or the shelves alone. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from order_svc.errors import TooManyOrders, TooManyPieces

WINDOW = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class OrderLimits:
    """Of each account: orders placed and amended in a minute, and pieces ordered that are not shipped yet."""

    per_minute: int
    pieces: int


@dataclass(frozen=True, slots=True)
class AccountUsage:
    """What an account uses. ``orders`` counts those since ``window_began_at``."""

    customer_id: UUID
    held_pieces: int = 0
    window_began_at: datetime | None = None
    orders: int = 0

    def with_order(self, pieces: int, limits: OrderLimits, now: datetime) -> "AccountUsage":
        """With one more order or amendment, of so many more pieces; raise ``TooManyOrders``, ``TooManyPieces``."""
        began, orders = self._window(now)
        if orders >= limits.per_minute:
            rest = ceil((began + WINDOW - now).total_seconds())
            raise TooManyOrders(limit=limits.per_minute, retry_after=max(rest, 1))
        held = self.held_pieces + pieces
        if pieces > 0 and held > limits.pieces:
            raise TooManyPieces(limit=limits.pieces, held=self.held_pieces)
        return replace(self, held_pieces=held, window_began_at=began, orders=orders + 1)

    def _window(self, now: datetime) -> tuple[datetime, int]:
        if self.window_began_at is None or now - self.window_began_at >= WINDOW:
            return now, 0
        return self.window_began_at, self.orders
