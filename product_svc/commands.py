"""What can be done with stock. Each function decides inside a transaction that it neither opens nor ends."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from chassis.preconditions import unchanged_since
from product_svc import domain
from product_svc.domain import Movement, Reservation, Stock
from product_svc.errors import SkuUnknown
from product_svc.store import Warehouse
from schemas import Event, Line


def adjust_stock(unit: Warehouse, sku: str, delta: int, reason: str, by: UUID | None = None, note: str = "") -> Stock:
    """Change what is on hand of a SKU; raise ``SkuUnknown`` or ``StockTooLow``."""
    stock = unit.stock.find(sku)
    if stock is None:
        raise SkuUnknown
    stock, adjusted = stock.adjust(delta, reason, unit.now)
    unit.stock.put(sku, stock)
    unit.movements.add(Movement(sku, delta, reason, stock.changed_at, stock.on_hand, by, note))
    unit.emit(adjusted, stock.version, stock.changed_at)
    return stock


def set_threshold(unit: Warehouse, sku: str, if_match: str | None, threshold: int | None) -> Stock:
    """Set the number available at which a stock is low, or None for never.

    Raise ``SkuUnknown``, ``PreconditionFailed``.
    """
    stock = unit.stock.find(sku)
    if stock is None:
        raise SkuUnknown
    unchanged_since(if_match, stock.low_at)
    stock = replace(stock, low_at=threshold)
    unit.stock.put(sku, stock)
    return stock


def reserve_stock(unit: Warehouse, order_id: UUID, lines: Sequence[Line]) -> None:
    """Answer an order: promise all of it or nothing. An order that was answered before is left alone."""
    if unit.reservations.find(order_id):
        return
    stocks = {line.sku: unit.stock.find(line.sku) for line in lines}
    _keep(unit, *domain.reserve(order_id, lines, stocks, unit.now))


def release_stock(unit: Warehouse, order_id: UUID) -> None:
    """Give back what an order was promised."""
    held = unit.reservations.find(order_id)
    stocks = {line.sku: unit.stock.find(line.sku) for line in held.lines} if held else {}
    if released := domain.release(order_id, held, stocks, unit.now):
        _keep(unit, *released)


def _keep(unit: Warehouse, reservation: Reservation, stocks: Sequence[Stock], event: Event) -> None:
    unit.reservations.put(reservation.order_id, reservation)
    for stock in stocks:
        unit.stock.put(stock.sku, stock)
    unit.emit(event, reservation.version, reservation.changed_at)
