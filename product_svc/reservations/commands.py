"""What orders do to the stock. Each function decides inside a transaction that it neither opens nor ends."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from product_svc.domain import Movement, Stock
from product_svc.reservations import domain, parcels
from product_svc.reservations.documents import ORDER_NOTE
from product_svc.reservations.domain import Decision
from product_svc.store import Warehouse
from schemas import Line


def reserve_stock(
    unit: Warehouse, order_id: UUID, lines: Sequence[Line], revision: int = 1, replaces: int = 1
) -> None:
    """Answer an order that asks for the stock of a revision: promise all of it or nothing."""
    known = unit.reservations.get(order_id)
    stocks = _stocks(unit, order_id, lines)
    if decision := domain.request(order_id, known, revision, replaces, lines, stocks, unit.now):
        _keep(unit, decision)


def decide_amendment(unit: Warehouse, order_id: UUID, revision: int, *, accepted: bool) -> None:
    """Hold what the order has decided to be, and nothing else."""
    known = unit.reservations.get(order_id)
    stocks = _stocks(unit, order_id)
    if decision := domain.decide_amendment(order_id, known, revision, stocks, unit.now, accepted=accepted):
        _keep(unit, decision)


def release_stock(unit: Warehouse, order_id: UUID) -> None:
    """Give back what an order was promised."""
    known = unit.reservations.get(order_id)
    if decision := domain.release(order_id, known, _stocks(unit, order_id), unit.now):
        _keep(unit, decision)


def commit_stock(unit: Warehouse, order_id: UUID, shipment_id: UUID, revision: int, lines: Sequence[Line]) -> None:
    """Let a shipment leave the house; raise ``NotHeld``."""
    known, stocks = unit.reservations.get(order_id), _stocks(unit, order_id, lines)
    _keep(unit, parcels.commit(known, shipment_id, revision, lines, stocks, unit.now), "shipment")


def restock(unit: Warehouse, order_id: UUID, return_id: UUID, lines: Sequence[Line]) -> None:
    """Put what came back on the shelf; raise ``NotHeld``."""
    known, stocks = unit.reservations.get(order_id), _stocks(unit, order_id, lines)
    _keep(unit, parcels.take_back(known, return_id, lines, stocks, unit.now), "return")


def _stocks(unit: Warehouse, order_id: UUID, lines: Iterable[Line] = ()) -> dict[str, Stock | None]:
    """The stock that an order names or holds."""
    known = unit.reservations.get(order_id)
    skus = {line.sku for line in lines} | set(known.held if known else ())
    return {sku: unit.stock.get(sku) for sku in skus}


def _keep(unit: Warehouse, decision: Decision, reason: str = "") -> None:
    """Store what was decided, and enter in the ledger what changed the number on hand, for this reason."""
    reservation, stocks, event = decision
    unit.reservations.set(reservation.order_id, reservation)
    for stock in stocks:
        before = unit.stock.get(stock.sku)
        if before and before.on_hand != stock.on_hand:
            delta, note = stock.on_hand - before.on_hand, f"{ORDER_NOTE}{reservation.order_id}"
            unit.movements.add(Movement(stock.sku, delta, reason, reservation.changed_at, stock.on_hand, note=note))
        unit.stock.set(stock.sku, stock)
    if event:
        unit.emit(event, reservation.version, reservation.changed_at)
