"""What staff does with stock. Each function decides inside a transaction that it neither opens nor ends."""

from dataclasses import replace
from uuid import UUID

from chassis.http.preconditions import unchanged_since
from product_svc.domain import Movement, Stock
from product_svc.errors import SkuUnknown
from product_svc.store import Warehouse


def adjust_stock(unit: Warehouse, sku: str, delta: int, reason: str, by: UUID | None = None, note: str = "") -> Stock:
    """Change what is on hand of a SKU; raise ``SkuUnknown`` or ``StockTooLow``."""
    stock = unit.stock.get(sku)
    if stock is None:
        raise SkuUnknown
    stock, adjusted = stock.adjust(delta, reason, unit.now)
    unit.stock.set(sku, stock)
    unit.movements.add(Movement(sku, delta, reason, stock.changed_at, stock.on_hand, by, note))
    unit.emit(adjusted, stock.version, stock.changed_at)
    return stock


def set_threshold(unit: Warehouse, sku: str, if_match: str | None, threshold: int | None) -> Stock:
    """Set the number available at which a stock is low, or None for never.

    Raise ``SkuUnknown``, ``PreconditionFailed``.
    """
    stock = unit.stock.get(sku)
    if stock is None:
        raise SkuUnknown
    unchanged_since(if_match, stock.low_at)
    stock = replace(stock, low_at=threshold)
    unit.stock.set(sku, stock)
    return stock
