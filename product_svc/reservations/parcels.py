"""What leaves the house of what an order holds, and what comes back. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from product_svc.reservations.domain import Decision, Reservation, Stocks, changed, settled, summed, told_of
from schemas import Line, StockCommitted, StockReturned


class NotHeld(LookupError):
    """An order ships or returns what it never held; a mistake in whoever told so."""


def commit(
    known: Reservation | None, shipment_id: UUID, revision: int, lines: Sequence[Line], stocks: Stocks, now: datetime
) -> Decision:
    """Let a shipment of a revision go: what is in it is neither on hand nor reserved any more; raise ``NotHeld``."""
    if known is None or known.state != "held":
        raise NotHeld(f"shipment {shipment_id} of an order that holds nothing")
    base, sent = settled(known, revision), summed(lines)
    left = base.held
    for line in sent:
        left[line.sku] = left.get(line.sku, 0) - line.quantity
        if left[line.sku] < 0:
            raise NotHeld(f"shipment {shipment_id} of more {line.sku} than the order holds")
    # First what the amendment had beside it is given back, then what is sent.
    after_settling = {stock.sku: stock for stock in changed(known, base, stocks)}
    gone = [
        stock.send(line.quantity)
        for line in sent
        if (stock := after_settling.pop(line.sku, None) or stocks.get(line.sku))
    ]
    kept = tuple(Line(sku=sku, quantity=quantity) for sku, quantity in left.items() if quantity)
    after = replace(base, state="held" if kept else "shipped", lines=kept)
    told = StockCommitted(order_id=known.order_id, shipment_id=shipment_id, lines=sent)
    return told_of(known, after, now), [*after_settling.values(), *gone], told


def take_back(
    known: Reservation | None, return_id: UUID, lines: Sequence[Line], stocks: Stocks, now: datetime
) -> Decision:
    """Put what an order returns back on the shelf; raise ``NotHeld``."""
    if known is None:
        raise NotHeld(f"return {return_id} of an order that held nothing")
    back = summed(lines)
    shelved = [stock.take_back(line.quantity) for line in back if (stock := stocks.get(line.sku))]
    told = StockReturned(order_id=known.order_id, return_id=return_id, lines=back)
    return told_of(known, known, now), shelved, told
