"""What staff does with stock."""

from dataclasses import dataclass, replace
from typing import ClassVar
from uuid import UUID

from chassis.http.preconditions import PreconditionFailed, PreconditionRequired, unchanged_since
from chassis.persistence.unit_of_work import next_time
from product_svc.errors import InsufficientStock, SkuNotFound
from product_svc.stock.domain import MOST_LOSING, Movement, Stock
from product_svc.unit_of_work import ProductUnitOfWork


@dataclass(frozen=True, slots=True)
class AdjustStock:
    """Change the number on hand of a SKU, and record the movement.

    With ``take_held``, units that are reserved go too, after those that are available: those of the newest orders
    first, of ``MOST_LOSING`` orders at most.
    """

    errors: ClassVar = (SkuNotFound, InsufficientStock)
    sku: str
    delta: int
    reason: str
    by: UUID | None = None
    note: str = ""
    take_held: bool = False

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The stock of the SKU, and the reservations that may lose units."""
        uow.stock.prefetch(self.sku)
        if self.take_held:
            uow.taken.add(self.sku)

    def execute(self, uow: ProductUnitOfWork) -> Stock:
        """Return the stock after it."""
        stock = _existing(uow, self.sku)
        if self.take_held:
            stock = stock.reserve(-self._take_held(uow, -stock.available - self.delta))
        stock, adjusted = stock.adjust(self.delta, self.reason, uow.now)
        uow.stock.set(self.sku, stock)
        at, on_hand = stock.changed_at, stock.on_hand
        uow.movements.add(Movement(self.sku, self.delta, self.reason, at, on_hand, self.by, self.note))
        uow.emit(adjusted, stock.version, stock.changed_at)
        return stock

    def _take_held(self, uow: ProductUnitOfWork, number: int) -> int:
        """Take up to so many units from orders that hold them; return how many."""
        holders = [one for one in uow.reservations.present if one.held.get(self.sku)]
        # The ids of orders begin with the time.
        newest = sorted(holders, key=lambda one: one.order_id, reverse=True)[:MOST_LOSING]
        left = max(number, 0)
        for known in newest:
            if not left:
                break
            taken = min(left, known.held[self.sku])
            left -= taken
            after, events = known.lose(self.sku, taken)
            for event in events:
                at = next_time(uow.now, after.changed_at)
                after = replace(after, version=after.version + 1, changed_at=at)
                uow.emit(event, after.version, at)
            uow.reservations.set(known.order_id, after)
        return max(number, 0) - left


@dataclass(frozen=True, slots=True)
class SetThreshold:
    """Set the number available at which a stock is low; None for never."""

    errors: ClassVar = (SkuNotFound, PreconditionFailed, PreconditionRequired)
    sku: str
    if_match: str | None
    threshold: int | None

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The stock of the SKU."""
        uow.stock.prefetch(self.sku)

    def execute(self, uow: ProductUnitOfWork) -> Stock:
        """Return the stock after it."""
        stock = _existing(uow, self.sku)
        unchanged_since(self.if_match, stock.threshold_version)
        stock = replace(stock, threshold=self.threshold)
        uow.stock.set(self.sku, stock)
        return stock


def _existing(uow: ProductUnitOfWork, sku: str) -> Stock:
    stock = uow.stock.get(sku)
    if stock is None:
        raise SkuNotFound
    return stock
