"""What staff does with stock."""

from dataclasses import dataclass, replace
from typing import ClassVar
from uuid import UUID

from chassis.http.preconditions import PreconditionFailed, PreconditionRequired, unchanged_since
from product_svc.errors import InsufficientStock, SkuNotFound
from product_svc.stock.domain import Movement, Stock
from product_svc.unit_of_work import ProductUnitOfWork


@dataclass(frozen=True, slots=True)
class AdjustStock:
    """Change the number on hand of a SKU, and record the movement."""

    errors: ClassVar = (SkuNotFound, InsufficientStock)
    sku: str
    delta: int
    reason: str
    by: UUID | None = None
    note: str = ""

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The stock of the SKU."""
        uow.stock.prefetch(self.sku)

    def execute(self, uow: ProductUnitOfWork) -> Stock:
        """Return the stock after it."""
        stock, adjusted = _existing(uow, self.sku).adjust(self.delta, self.reason, uow.now)
        uow.stock.set(self.sku, stock)
        at, on_hand = stock.changed_at, stock.on_hand
        uow.movements.add(Movement(self.sku, self.delta, self.reason, at, on_hand, self.by, self.note))
        uow.emit(adjusted, stock.version, stock.changed_at)
        return stock


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
