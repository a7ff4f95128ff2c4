"""What an order holds of the stock: types and rules, without any I/O.

A reservation holds all lines of an order or none. While an order is being amended it holds, of each SKU, as much as
the larger of the two revisions needs: whichever the order decides on is there. The order decides, so nothing
that it still has is ever given away for what it only asked for.

Every request for a revision has one answer; the request told again, the same answer again. A revision that is
older than what the order has gone on to has none: nobody waits for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from chassis.persistence.unit_of_work import next_time
from product_svc.domain import Stock
from schemas import Event, Line, Shortage, StockRejected, StockReleased, StockReserved

Stocks = Mapping[str, Stock | None]


@dataclass(frozen=True, slots=True)
class Amendment:
    """The lines of a revision that is held beside the one before, until the order has decided."""

    revision: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Reservation:
    """What an order was promised. It outlives its end, so that a late or repeated request finds it.

    ``lines`` are those of ``revision``; where nothing is held that is 1 if the first revision was refused, and 0 if
    it has not been asked for yet. ``asked`` is the newest revision that was decided on, or that the order has
    withdrawn; ``shortages`` are those of the last refusal. ``version`` counts the events told.
    """

    order_id: UUID
    state: Literal["held", "rejected", "released", "shipped"]
    lines: tuple[Line, ...]
    version: int
    changed_at: datetime
    revision: int = 1
    asked: int = 1
    amendment: Amendment | None = None
    shortages: tuple[Shortage, ...] = ()

    @property
    def held(self) -> dict[str, int]:
        """SKU → how many are set aside."""
        held = {line.sku: line.quantity for line in self.lines}
        for line in self.amendment.lines if self.amendment else ():
            held[line.sku] = max(line.quantity, held.get(line.sku, 0))
        return held


Decision = tuple[Reservation, list[Stock], Event | None]
"""The reservation and the stock after a decision, and what is told of it; None where nobody needs to know."""


def request(
    order_id: UUID,
    known: Reservation | None,
    revision: int,
    replaces: int,
    lines: Sequence[Line],
    stocks: Stocks,
    now: datetime,
) -> Decision | None:
    """Promise every line of a revision, or none and say what is short; None for an order that does not wait for it.

    Lines of the same SKU count together.
    ``replaces`` is the revision that the order has: what it has decided may not have been heard of here yet.
    """
    known = known or _unknown(order_id, now)
    if known.state in ("released", "shipped"):
        return None
    if known.state == "rejected":
        decided = known.revision == 1 if revision == 1 else revision <= known.asked
        return _again(known, revision, now) if decided else _outright(known, revision, lines, stocks, now)
    if revision <= known.asked:
        return _again(known, revision, now)
    return _beside(known, settled(known, replaces), revision, lines, stocks, now)


def decide_amendment(
    order_id: UUID, known: Reservation | None, revision: int, stocks: Stocks, now: datetime, *, accepted: bool
) -> Decision | None:
    """The order is now a revision, or stays what it was: what only the other one needs can be sold.

    Where a revision is withdrawn before it was asked for, a tombstone makes sure that it is not reserved then.
    """
    known = known or _unknown(order_id, now)
    if known.state in ("released", "shipped"):
        return None
    if known.amendment and known.amendment.revision == revision:
        after = settled(known, revision if accepted else known.revision)
    elif not accepted and revision > known.asked:
        after = replace(known, asked=revision)
    else:
        return None
    freed = _freed(known, after)
    if not freed:
        return replace(after, changed_at=next_time(now, known.changed_at)), [], None
    told = StockReleased(order_id=order_id, lines=freed, revision=revision)
    return told_of(known, after, now), changed(known, after, stocks), told


def release(order_id: UUID, known: Reservation | None, stocks: Stocks, now: datetime) -> Decision | None:
    """Give back what an order was promised; None where it was given back before.

    Where nothing is known of the order yet, the request to reserve is still to come: a tombstone makes
    sure that it finds the order ended. The same holds, after a refusal, for amendments.
    """
    if known is None:
        return Reservation(order_id, "released", (), 1, now), [], StockReleased(order_id=order_id, lines=())
    if known.state not in ("held", "rejected"):
        return None
    ended = replace(known, state="released", lines=(), amendment=None, changed_at=next_time(now, known.changed_at))
    if known.state == "rejected":
        return ended, [], None
    told = StockReleased(order_id=order_id, lines=_freed(known, ended))
    return told_of(known, ended, now), changed(known, ended, stocks), told


def settled(known: Reservation, has: int) -> Reservation:
    """The reservation of an order that has this revision, whatever else it had asked for."""
    if known.amendment and known.amendment.revision == has:
        return replace(known, revision=has, lines=known.amendment.lines, amendment=None)
    return replace(known, amendment=None)


def changed(before: Reservation, after: Reservation, stocks: Stocks) -> list[Stock]:
    """The stock of which more, or less, is held than before."""
    held = before.held
    more = {sku: quantity - held.pop(sku, 0) for sku, quantity in after.held.items()}
    more |= {sku: -quantity for sku, quantity in held.items()}
    return [stock.promise(number) for sku, number in more.items() if number and (stock := stocks.get(sku))]


def summed(lines: Sequence[Line]) -> tuple[Line, ...]:
    """One line a SKU, in the order of their first mention."""
    totals: dict[str, int] = {}
    for line in lines:
        totals[line.sku] = totals.get(line.sku, 0) + line.quantity
    return tuple(Line(sku=sku, quantity=quantity) for sku, quantity in totals.items())


def _freed(before: Reservation, after: Reservation) -> tuple[Line, ...]:
    """Of what an order held, all that it does not hold any more."""
    held = after.held
    less = {sku: quantity - held.get(sku, 0) for sku, quantity in before.held.items()}
    return tuple(Line(sku=sku, quantity=number) for sku, number in less.items() if number)


def _unknown(order_id: UUID, now: datetime) -> Reservation:
    return Reservation(order_id, "rejected", (), 0, now, revision=0, asked=0)


def _outright(known: Reservation, revision: int, lines: Sequence[Line], stocks: Stocks, now: datetime) -> Decision:
    """Decide on a revision of an order that holds nothing."""
    wanted = summed(lines)
    after = replace(known, state="held", lines=wanted, revision=revision, asked=max(known.asked, revision))
    if shortages := _shortages(known, wanted, stocks):
        refused = replace(after, state="rejected", lines=(), revision=1 if revision == 1 else known.revision)
        return _rejected(known, refused, revision, shortages, stocks, now)
    return _reserved(known, replace(after, shortages=()), revision, stocks, now)


def _beside(
    known: Reservation, base: Reservation, revision: int, lines: Sequence[Line], stocks: Stocks, now: datetime
) -> Decision:
    """Decide on a revision of an order that holds another one, and keeps that."""
    wanted = summed(lines)
    if shortages := _shortages(known, wanted, stocks):
        return _rejected(known, replace(base, asked=revision), revision, shortages, stocks, now)
    after = replace(base, asked=revision, amendment=Amendment(revision, wanted), shortages=())
    return _reserved(known, after, revision, stocks, now)


def _again(known: Reservation, revision: int, now: datetime) -> Decision | None:
    """What was answered before."""
    if known.state == "held" and revision == known.revision:
        return _reserved(known, known, revision, {}, now)
    if known.amendment and revision == known.amendment.revision:
        return _reserved(known, known, revision, {}, now)
    if revision == known.asked or (known.state == "rejected" and revision == 1):
        return _rejected(known, known, revision, known.shortages, {}, now)
    return None


def _reserved(known: Reservation, after: Reservation, revision: int, stocks: Stocks, now: datetime) -> Decision:
    beside = after.amendment
    lines = beside.lines if beside and beside.revision == revision else after.lines
    told = StockReserved(order_id=known.order_id, lines=lines, revision=revision)
    return told_of(known, after, now), changed(known, after, stocks), told


def _rejected(
    known: Reservation,
    after: Reservation,
    revision: int,
    shortages: tuple[Shortage, ...],
    stocks: Stocks,
    now: datetime,
) -> Decision:
    told = StockRejected(order_id=known.order_id, shortages=shortages, revision=revision)
    return told_of(known, replace(after, shortages=shortages), now), changed(known, after, stocks), told


def told_of(known: Reservation, after: Reservation, now: datetime) -> Reservation:
    """The reservation after one more event about it."""
    # Of an order that nothing was known of, the first time is now.
    at = next_time(now, known.changed_at) if known.version else now
    return replace(after, version=known.version + 1, changed_at=at)


def _shortages(known: Reservation, wanted: Sequence[Line], stocks: Stocks) -> tuple[Shortage, ...]:
    held = known.held
    found = (_shortage(line, stocks.get(line.sku), held.get(line.sku, 0)) for line in wanted)
    return tuple(shortage for shortage in found if shortage)


def _shortage(line: Line, stock: Stock | None, held: int) -> Shortage | None:
    """Why a line cannot be reserved for an order that holds so many of its SKU."""
    if line.quantity <= held:
        return None
    if stock is None:
        return Shortage(sku=line.sku, requested=line.quantity, available=0, reason="unknown")
    if stock.discontinued:
        return Shortage(sku=line.sku, requested=line.quantity, available=held, reason="discontinued")
    available = stock.available + held
    if available < line.quantity:
        return Shortage(sku=line.sku, requested=line.quantity, available=available, reason="short")
    return None
