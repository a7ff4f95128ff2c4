"""Shipments, cancelled remainders and returns: what an order takes from the stock, and what it gives back. And what
becomes of units that were lost although they were reserved.

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
    as_lines,
    changed_stock,
    next_version,
    quantities,
    settled,
    shortages_of,
    summed,
)
from schemas import Line, StockCommitted, StockLost, StockReleased, StockReturned


class NotHeld(LookupError):
    """An order ships, cancels or returns units that it never held: a mistake of the service that published this."""


def find_lost(known: Reservation | None, revision: int, lines: Sequence[Line], stocks: Stocks) -> Decision | None:
    """Hold units again that were lost and are shipped all the same; None where there are none.

    The parcel left before the order knew of the loss. What was booked as missing was in it.
    """
    if known is None or known.state != "held":
        return None
    base = settled(known, revision)
    held, lost = quantities(base.lines), quantities(base.lost)
    found = {sku: min(sent - held.get(sku, 0), lost.get(sku, 0)) for sku, sent in quantities(lines).items()}
    found = {sku: number for sku, number in found.items() if number > 0}
    if not found:
        return None
    for sku, number in found.items():
        held[sku], lost[sku] = held.get(sku, 0) + number, lost[sku] - number
    after = replace(base, lines=as_lines(held), lost=as_lines(lost))
    changed = {stock.sku: stock for stock in changed_stock(known, after, stocks)}
    for sku, number in found.items():
        if stock := changed.get(sku) or stocks.get(sku):
            changed[sku] = stock.restock(number)
    return after, list(changed.values()), None


def reserve_lost(known: Reservation | None, revision: int, stocks: Stocks, now: datetime) -> Decision | None:
    """Reserve everything again that a revision lost, or nothing; None where nothing of it is lost."""
    if known is None or known.state != "held":
        return None
    beside = known.amendment if known.amendment and known.amendment.revision == revision else None
    if beside is None and revision != known.revision:
        return None
    lines, lost = (beside.lines, beside.lost) if beside else (known.lines, known.lost)
    if not lost:
        return None
    wanted, after = summed((*lines, *lost)), known
    if not shortages_of(known, wanted, stocks):
        lost = ()
        whole = replace(beside, lines=wanted, lost=()) if beside else None
        after = replace(known, amendment=whole) if whole else replace(known, lines=wanted, lost=())
    event = StockLost(order_id=known.order_id, lines=lost, revision=revision)
    return next_version(known, after, now), changed_stock(known, after, stocks), event


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

    Only these lines: a shipment from before may arrive later, and what it ships stays reserved until then. Of what is
    cancelled, units that were lost come first.
    """
    if known is None or known.state != "held":
        raise NotHeld("remainder of an order that holds nothing")
    base, cancelled = settled(known, revision), quantities(lines)
    lost = quantities(base.lost)
    gone = {sku: min(number, lost.get(sku, 0)) for sku, number in cancelled.items()}
    left = as_lines({sku: number - gone.get(sku, 0) for sku, number in lost.items()})
    released = as_lines({sku: number - gone[sku] for sku, number in cancelled.items()})
    after = _without(replace(base, lost=left), released, "remainder")
    event = StockReleased(order_id=known.order_id, lines=released, remainder=True)
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
    kept = as_lines(left)
    return replace(base, state="held" if kept or base.lost else "shipped", lines=kept)
