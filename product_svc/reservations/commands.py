"""What the events of orders do to the stock."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from chassis.messaging.handlers import OnRepeat
from product_svc.reservations import domain, shipments
from product_svc.reservations.domain import Decision, Reservation, Stocks
from product_svc.stock.domain import order_movement
from product_svc.unit_of_work import ProductUnitOfWork
from schemas import (
    AmendmentAccepted,
    AmendmentRefused,
    Envelope,
    Line,
    MissingRequested,
    OrderAmended,
    OrderCancelled,
    OrderPlaced,
    OrderReturned,
    OrderShipped,
    ParcelReturned,
    RemainderCancelled,
)


@dataclass(frozen=True, slots=True)
class ReserveStock:
    """An order was placed: reserve its lines, or reject it and name the shortages."""

    on_repeat: ClassVar[OnRepeat] = "refuse"
    envelope: Envelope[OrderPlaced]

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The order's reservation, and the stock of its lines."""
        _prefetch(uow, self.envelope.event.order_id, self.envelope.event.lines)

    def execute(self, uow: ProductUnitOfWork) -> None:
        """Publish ``StockReserved`` or ``StockRejected``."""
        event = self.envelope.event
        _reserve(uow, event.order_id, event.lines, revision=1, replaces=1)


@dataclass(frozen=True, slots=True)
class ReserveAmendment:
    """An order is to be amended: reserve the new lines beside the old ones, or reject them."""

    on_repeat: ClassVar[OnRepeat] = "refuse"
    envelope: Envelope[OrderAmended]

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The order's reservation, and the stock of the new lines."""
        _prefetch(uow, self.envelope.event.order_id, self.envelope.event.lines)

    def execute(self, uow: ProductUnitOfWork) -> None:
        """Publish ``StockReserved`` or ``StockRejected``."""
        event = self.envelope.event
        _reserve(uow, event.order_id, event.lines, event.revision, event.replaces)


@dataclass(frozen=True, slots=True)
class SettleAmendment:
    """An amendment was accepted or refused: release what only the other revision needs."""

    on_repeat: ClassVar[OnRepeat] = "refuse"
    envelope: Envelope[AmendmentAccepted] | Envelope[AmendmentRefused]

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The order's reservation, with the stock that it holds."""
        uow.reservations.prefetch(self.envelope.event.order_id)

    def execute(self, uow: ProductUnitOfWork) -> None:
        """Publish ``StockReleased`` where anything is released."""
        event = self.envelope.event
        known, stocks = _load(uow, event.order_id)
        accepted = isinstance(event, AmendmentAccepted)
        decision = domain.settle_amendment(event.order_id, known, event.revision, stocks, uow.now, accepted=accepted)
        _apply(uow, decision)


@dataclass(frozen=True, slots=True)
class ReleaseStock:
    """An order was cancelled: release what is reserved for it."""

    on_repeat: ClassVar[OnRepeat] = "refuse"
    envelope: Envelope[OrderCancelled]

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The order's reservation, with the stock that it holds."""
        uow.reservations.prefetch(self.envelope.event.order_id)

    def execute(self, uow: ProductUnitOfWork) -> None:
        """Publish ``StockReleased``, except after a rejection."""
        order_id = self.envelope.event.order_id
        known, stocks = _load(uow, order_id)
        _apply(uow, domain.release(order_id, known, stocks, uow.now))


@dataclass(frozen=True, slots=True)
class CommitShipment:
    """A shipment left the warehouse: its units are neither on hand nor reserved any more.

    What was lost and is in the parcel is put on hand again first, with a movement.
    """

    on_repeat: ClassVar[OnRepeat] = "refuse"
    envelope: Envelope[OrderShipped]

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The order's reservation, and the stock of the shipped lines."""
        _prefetch(uow, self.envelope.event.order_id, self.envelope.event.lines)

    def execute(self, uow: ProductUnitOfWork) -> None:
        """Publish ``StockCommitted``; raise ``NotHeld``."""
        event = self.envelope.event
        known, stocks = _load(uow, event.order_id, event.lines)
        if found := shipments.find_lost(known, event.revision, event.lines, stocks):
            _apply(uow, found, "found")
            known, stocks = _load(uow, event.order_id, event.lines)
        decision = shipments.commit(known, event.shipment_id, event.revision, event.lines, stocks, uow.now)
        _apply(uow, decision, "shipment")


@dataclass(frozen=True, slots=True)
class ReserveLost:
    """An order requests what it has lost once more: reserve all of it, or nothing."""

    on_repeat: ClassVar[OnRepeat] = "refuse"
    envelope: Envelope[MissingRequested]

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The order's reservation, and the stock of what it holds and has lost."""
        uow.reservations.prefetch(self.envelope.event.order_id)

    def execute(self, uow: ProductUnitOfWork) -> None:
        """Publish ``StockLost`` with what is missing after it."""
        event = self.envelope.event
        known, stocks = _load(uow, event.order_id)
        _apply(uow, shipments.reserve_lost(known, event.revision, stocks, uow.now))


@dataclass(frozen=True, slots=True)
class ReleaseRemainder:
    """What was left to ship of an order was cancelled: release it, and nothing that a shipment still takes."""

    on_repeat: ClassVar[OnRepeat] = "refuse"
    envelope: Envelope[RemainderCancelled]

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The order's reservation, with the stock that it holds."""
        uow.reservations.prefetch(self.envelope.event.order_id)

    def execute(self, uow: ProductUnitOfWork) -> None:
        """Publish ``StockReleased``; raise ``NotHeld``."""
        event = self.envelope.event
        known, stocks = _load(uow, event.order_id)
        _apply(uow, shipments.release_remainder(known, event.revision, event.lines, stocks, uow.now))


@dataclass(frozen=True, slots=True)
class RestockReturn:
    """Lines of an order were returned, or a parcel came back: what is not scrapped is on hand again."""

    on_repeat: ClassVar[OnRepeat] = "refuse"
    envelope: Envelope[OrderReturned] | Envelope[ParcelReturned]

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The order's reservation, and the stock of the returned lines."""
        _prefetch(uow, self.envelope.event.order_id, self.envelope.event.lines)

    def execute(self, uow: ProductUnitOfWork) -> None:
        """Publish ``StockReturned``; raise ``NotHeld``."""
        event = self.envelope.event
        known, stocks = _load(uow, event.order_id, event.lines)
        good = shipments.without_scrapped(event.lines, event.scrapped)
        _apply(uow, shipments.take_back(known, event.return_id, good, stocks, uow.now), "return")


def _prefetch(uow: ProductUnitOfWork, order_id: UUID, lines: Sequence[Line]) -> None:
    # The lines may have other SKUs than the reservation, whose stock is loaded with it.
    uow.reservations.prefetch(order_id)
    uow.stock.prefetch(*(line.sku for line in lines))


def _load(uow: ProductUnitOfWork, order_id: UUID, lines: Sequence[Line] = ()) -> tuple[Reservation | None, Stocks]:
    """The reservation of an order, and the stock that it holds or that the lines name."""
    known = uow.reservations.get(order_id)
    skus = {line.sku for line in lines} | (known.skus if known else set())
    return known, {sku: uow.stock.get(sku) for sku in skus}


def _reserve(uow: ProductUnitOfWork, order_id: UUID, lines: Sequence[Line], revision: int, replaces: int) -> None:
    known, stocks = _load(uow, order_id, lines)
    _apply(uow, domain.reserve(order_id, known, revision, replaces, lines, stocks, uow.now))


def _apply(uow: ProductUnitOfWork, decision: Decision | None, reason: str = "") -> None:
    """Store what was decided and publish its event; ``reason`` is that of the movements, if it causes any."""
    if decision is None:
        return
    reservation, stocks, event = decision
    uow.reservations.set(reservation.order_id, reservation)
    for after in stocks:
        before = uow.stock.get(after.sku)
        at = reservation.changed_at
        if before and (movement := order_movement(before, after, reservation.order_id, reason, at)):
            uow.movements.add(movement)
        uow.stock.set(after.sku, after)
    if event:
        uow.emit(event, reservation.version, reservation.changed_at)
