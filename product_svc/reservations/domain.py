"""Reservations: types and rules, without any I/O. Shipments and returns are in ``reservations.shipments``.

A reservation holds all lines of an order or none. While an order is being amended it holds, of each SKU, the larger
of the two quantities: whichever revision the order decides on is reserved. The order decides, so nothing that it
still has is given away for a revision that it only requested.

Every request for a revision has one reply, and a repeated request gets the same reply again. A revision that is older
than the order's current one gets no reply: nothing waits for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from chassis.persistence.unit_of_work import next_time
from product_svc.stock.domain import Stock
from schemas import Event, Line, Shortage, StockLost, StockRejected, StockReleased, StockReserved

Stocks = Mapping[str, Stock | None]


@dataclass(frozen=True, slots=True)
class Amendment:
    """The lines of a revision that is held beside the current one, until the order has decided."""

    revision: int
    lines: tuple[Line, ...]
    lost: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Reservation:
    """What is reserved for an order. It outlives the order's end, so that a late or repeated request finds it.

    ``lines`` are those of ``revision``, without what was ``lost``: units that staff took away though they were
    reserved. Where nothing is held, ``revision`` is 1 if the first revision was rejected, and 0 if it was not
    requested yet. ``latest_revision`` is the newest one that was decided on, or that the order withdrew.
    ``shortages`` are those of the last rejection. ``version`` counts the published events.
    """

    order_id: UUID
    state: Literal["held", "rejected", "released", "shipped"]
    lines: tuple[Line, ...]
    version: int
    changed_at: datetime
    revision: int = 1
    latest_revision: int = 1
    amendment: Amendment | None = None
    shortages: tuple[Shortage, ...] = ()
    lost: tuple[Line, ...] = ()

    @property
    def held(self) -> dict[str, int]:
        """SKU → how many units are reserved."""
        held = {line.sku: line.quantity for line in self.lines}
        for line in self.amendment.lines if self.amendment else ():
            held[line.sku] = max(line.quantity, held.get(line.sku, 0))
        return held

    @property
    def skus(self) -> set[str]:
        """The SKUs that are held, and those that were lost."""
        lost = (*self.lost, *(self.amendment.lost if self.amendment else ()))
        return set(self.held) | {line.sku for line in lost}

    def lose(self, sku: str, quantity: int) -> tuple["Reservation", list[StockLost]]:
        """Take units away that are held; return an event for each revision that loses any of them.

        A revision keeps of the SKU, at most, what is left. Every event is one more version.
        """
        left, events = self.held.get(sku, 0) - quantity, []
        lines, lost = _capped(self.lines, self.lost, sku, left)
        after = replace(self, lines=lines, lost=lost)
        if lost != self.lost:
            events.append(StockLost(order_id=self.order_id, lines=lost, revision=self.revision))
        if beside := self.amendment:
            lines, lost = _capped(beside.lines, beside.lost, sku, left)
            after = replace(after, amendment=replace(beside, lines=lines, lost=lost))
            if lost != beside.lost:
                events.append(StockLost(order_id=self.order_id, lines=lost, revision=beside.revision))
        return after, events


Decision = tuple[Reservation, list[Stock], Event | None]
"""The reservation and the changed stock after a decision, and the event about it; None where there is none."""


def reserve(
    order_id: UUID,
    known: Reservation | None,
    revision: int,
    replaces: int,
    lines: Sequence[Line],
    stocks: Stocks,
    now: datetime,
) -> Decision | None:
    """Reserve every line of a revision, or reject all and name the shortages; None where the order needs no reply.

    Lines of the same SKU count together. ``replaces`` is the revision that the order has: the event in which it
    decided on that may arrive later.
    """
    known = known or _new(order_id, now)
    if known.state in ("released", "shipped"):
        return None
    if known.state == "rejected":
        decided = known.revision == 1 if revision == 1 else revision <= known.latest_revision
        return _repeat(known, revision, now) if decided else _reserve_alone(known, revision, lines, stocks, now)
    if revision <= known.latest_revision:
        return _repeat(known, revision, now)
    return _reserve_beside(known, settled(known, replaces), revision, lines, stocks, now)


def settle_amendment(
    order_id: UUID, known: Reservation | None, revision: int, stocks: Stocks, now: datetime, *, accepted: bool
) -> Decision | None:
    """Keep the revision that the order decided on, and release what only the other one needs.

    Where a revision is withdrawn before its request has arrived, a tombstone prevents that it is reserved then.
    """
    known = known or _new(order_id, now)
    if known.state in ("released", "shipped"):
        return None
    if known.amendment and known.amendment.revision == revision:
        after = settled(known, revision if accepted else known.revision)
    elif not accepted and revision > known.latest_revision:
        after = replace(known, latest_revision=revision)
    else:
        return None
    released = _released(known, after)
    if not released:
        return replace(after, changed_at=next_time(now, known.changed_at)), [], None
    event = StockReleased(order_id=order_id, lines=released, revision=revision)
    return next_version(known, after, now), changed_stock(known, after, stocks), event


def release(order_id: UUID, known: Reservation | None, stocks: Stocks, now: datetime) -> Decision | None:
    """Release what is reserved for an order; None where it was released before.

    Where nothing is known of the order, the request to reserve has not arrived yet: a tombstone prevents that it
    reserves anything. The same holds, after a rejection, for amendments.
    """
    if known is None:
        return Reservation(order_id, "released", (), 1, now), [], StockReleased(order_id=order_id, lines=())
    if known.state not in ("held", "rejected"):
        return None
    ended = replace(known, state="released", lines=(), lost=(), amendment=None)
    ended = replace(ended, changed_at=next_time(now, known.changed_at))
    if known.state == "rejected":
        return ended, [], None
    event = StockReleased(order_id=order_id, lines=_released(known, ended))
    return next_version(known, ended, now), changed_stock(known, ended, stocks), event


def settled(known: Reservation, current: int) -> Reservation:
    """The reservation with this revision as the current one, and none beside it."""
    if known.amendment and known.amendment.revision == current:
        new = known.amendment
        return replace(known, revision=current, lines=new.lines, lost=new.lost, amendment=None)
    return replace(known, amendment=None)


def changed_stock(before: Reservation, after: Reservation, stocks: Stocks) -> list[Stock]:
    """The stock of which more, or less, is held than before."""
    held = before.held
    more = {sku: quantity - held.pop(sku, 0) for sku, quantity in after.held.items()}
    more |= {sku: -quantity for sku, quantity in held.items()}
    return [stock.reserve(number) for sku, number in more.items() if number and (stock := stocks.get(sku))]


def next_version(known: Reservation, after: Reservation, now: datetime) -> Reservation:
    """The reservation after one more event about it."""
    # For an order of which nothing was known, the first time is now.
    at = next_time(now, known.changed_at) if known.version else now
    return replace(after, version=known.version + 1, changed_at=at)


def summed(lines: Sequence[Line]) -> tuple[Line, ...]:
    """One line per SKU, in the order of their first occurrence."""
    return as_lines(quantities(lines))


def quantities(lines: Sequence[Line]) -> dict[str, int]:
    """SKU → quantity."""
    totals: dict[str, int] = {}
    for line in lines:
        totals[line.sku] = totals.get(line.sku, 0) + line.quantity
    return totals


def as_lines(numbers: Mapping[str, int]) -> tuple[Line, ...]:
    """SKU → quantity as lines, of those that are not 0."""
    return tuple(Line(sku=sku, quantity=number) for sku, number in numbers.items() if number)


def _capped(
    lines: tuple[Line, ...], lost: tuple[Line, ...], sku: str, most: int
) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """What is held and what is lost of a revision that can keep so many units of a SKU."""
    held, gone = quantities(lines), quantities(lost)
    if held.get(sku, 0) <= most:
        return lines, lost
    gone[sku] = gone.get(sku, 0) + held[sku] - most
    return as_lines(held | {sku: most}), as_lines(gone)


def _released(before: Reservation, after: Reservation) -> tuple[Line, ...]:
    """What the order held and does not hold any more."""
    held = after.held
    return as_lines({sku: quantity - held.get(sku, 0) for sku, quantity in before.held.items()})


def _new(order_id: UUID, now: datetime) -> Reservation:
    return Reservation(order_id, "rejected", (), 0, now, revision=0, latest_revision=0)


def _reserve_alone(
    known: Reservation, revision: int, lines: Sequence[Line], stocks: Stocks, now: datetime
) -> Decision:
    """Decide on a revision of an order that holds nothing."""
    wanted = summed(lines)
    latest = max(known.latest_revision, revision)
    after = replace(known, state="held", lines=wanted, revision=revision, latest_revision=latest)
    if shortages := shortages_of(known, wanted, stocks):
        rejected = replace(after, state="rejected", lines=(), revision=1 if revision == 1 else known.revision)
        return _rejected(known, rejected, revision, shortages, stocks, now)
    return _reserved(known, replace(after, shortages=()), revision, stocks, now)


def _reserve_beside(
    known: Reservation, base: Reservation, revision: int, lines: Sequence[Line], stocks: Stocks, now: datetime
) -> Decision:
    """Decide on a revision of an order that holds another one, and keeps that."""
    wanted = summed(lines)
    if shortages := shortages_of(known, wanted, stocks):
        return _rejected(known, replace(base, latest_revision=revision), revision, shortages, stocks, now)
    after = replace(base, latest_revision=revision, amendment=Amendment(revision, wanted), shortages=())
    return _reserved(known, after, revision, stocks, now)


def _repeat(known: Reservation, revision: int, now: datetime) -> Decision | None:
    """The reply that the same request got before."""
    if known.state == "held" and revision == known.revision:
        return _reserved(known, known, revision, {}, now)
    if known.amendment and revision == known.amendment.revision:
        return _reserved(known, known, revision, {}, now)
    if revision == known.latest_revision or (known.state == "rejected" and revision == 1):
        return _rejected(known, known, revision, known.shortages, {}, now)
    return None


def _reserved(known: Reservation, after: Reservation, revision: int, stocks: Stocks, now: datetime) -> Decision:
    beside = after.amendment
    lines = beside.lines if beside and beside.revision == revision else after.lines
    event = StockReserved(order_id=known.order_id, lines=lines, revision=revision)
    return next_version(known, after, now), changed_stock(known, after, stocks), event


def _rejected(
    known: Reservation,
    after: Reservation,
    revision: int,
    shortages: tuple[Shortage, ...],
    stocks: Stocks,
    now: datetime,
) -> Decision:
    event = StockRejected(order_id=known.order_id, shortages=shortages, revision=revision)
    after = next_version(known, replace(after, shortages=shortages), now)
    return after, changed_stock(known, after, stocks), event


def shortages_of(known: Reservation, wanted: Sequence[Line], stocks: Stocks) -> tuple[Shortage, ...]:
    """Why lines cannot be reserved for an order that has what it has."""
    held = known.held
    found = (_shortage(line, stocks.get(line.sku), held.get(line.sku, 0)) for line in wanted)
    return tuple(shortage for shortage in found if shortage)


def _shortage(line: Line, stock: Stock | None, held: int) -> Shortage | None:
    """Why a line cannot be reserved for an order that holds this many units of its SKU."""
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
