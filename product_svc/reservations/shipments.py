"""Shipments, cancelled remainders and returns: what an order takes from the stock, and what it gives back.

Rules, without any I/O.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from product_svc.reservations.domain import (
    Decision,
    Reservation,
    Stocks,
    changed_stock,
    next_version,
    settled,
    summed,
)
from schemas import Line, StockCommitted, StockReleased, StockReturned


class NotHeld(LookupError):
    """An order ships, cancels or returns units that it never held: a mistake of the service that published this."""


def commit(
    known: Reservation | None, shipment_id: UUID, revision: int, lines: Sequence[Line], stocks: Stocks, now: datetime
) -> Decision:
    """Ship lines of a revision: their units are neither on hand nor reserved any more. Raise ``NotHeld``."""
    if known is None or known.state != "held":
        raise NotHeld(f"shipment {shipment_id} of an order that holds nothing")
    base, sent = settled(known, revision), summed(lines)
    after = _without(base, sent, f"shipment {shipment_id}")
    # First release what only the other revision needed, then ship.
    released = {stock.sku: stock for stock in changed_stock(known, base, stocks)}
    shipped = [
        stock.ship(line.quantity) for line in sent if (stock := released.pop(line.sku, None) or stocks.get(line.sku))
    ]
    event = StockCommitted(order_id=known.order_id, shipment_id=shipment_id, lines=sent)
    return next_version(known, after, now), [*released.values(), *shipped], event


def release_remainder(
    known: Reservation | None, revision: int, lines: Sequence[Line], stocks: Stocks, now: datetime
) -> Decision:
    """Release lines of a revision that the order does not ship any more; raise ``NotHeld``.

    Only these lines: a shipment from before may arrive later, and what it ships stays reserved until then.
    """
    if known is None or known.state != "held":
        raise NotHeld("remainder of an order that holds nothing")
    cancelled = summed(lines)
    after = _without(settled(known, revision), cancelled, "remainder")
    event = StockReleased(order_id=known.order_id, lines=cancelled, remainder=True)
    return next_version(known, after, now), changed_stock(known, after, stocks), event


def take_back(
    known: Reservation | None, return_id: UUID, lines: Sequence[Line], stocks: Stocks, now: datetime
) -> Decision:
    """Add the returned lines to the stock on hand; raise ``NotHeld``."""
    if known is None:
        raise NotHeld(f"return {return_id} of an order that held nothing")
    returned = summed(lines)
    restocked = [stock.restock(line.quantity) for line in returned if (stock := stocks.get(line.sku))]
    event = StockReturned(order_id=known.order_id, return_id=return_id, lines=returned)
    return next_version(known, known, now), restocked, event


def without_scrapped(lines: Sequence[Line], scrapped: Sequence[Line]) -> tuple[Line, ...]:
    """What can be sold again of lines that came back."""
    left = {line.sku: line.quantity for line in summed(lines)}
    for line in summed(scrapped):
        left[line.sku] = left.get(line.sku, 0) - line.quantity
    return tuple(Line(sku=sku, quantity=quantity) for sku, quantity in left.items() if quantity > 0)


def _without(base: Reservation, lines: Sequence[Line], what: str) -> Reservation:
    """The reservation without lines that leave it; nothing is left to ship when it is empty. Raise ``NotHeld``."""
    left = base.held
    for line in lines:
        left[line.sku] = left.get(line.sku, 0) - line.quantity
        if left[line.sku] < 0:
            raise NotHeld(f"{what} of more {line.sku} than the order holds")
    kept = tuple(Line(sku=sku, quantity=quantity) for sku, quantity in left.items() if quantity)
    return replace(base, state="held" if kept else "shipped", lines=kept)
