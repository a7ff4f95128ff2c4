"""The specification of the platform: which events may be published, by whom, and when.

A ``Shop`` takes every event in the order in which the services commit them, whatever Kafka makes of that order
later, and fails on an event that must not happen. The stock, the reservations, the states of orders and the mails
that are due follow from these events.
"""

from collections import Counter, defaultdict
from functools import reduce
from operator import or_
from uuid import UUID

from notifier_svc.rendering.domain import OPTIONAL_TEMPLATES
from schemas import (
    AmendmentAccepted,
    AmendmentRefused,
    CustomerRegistered,
    Event,
    MailFailed,
    MailsAnonymised,
    MailSent,
    MissingRequested,
    OrderAmended,
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderPlaced,
    OrderRejected,
    OrderReturned,
    OrdersAnonymised,
    OrderShipped,
    OrderUndelivered,
    ParcelDelivered,
    ParcelFailed,
    ParcelReturned,
    ProductChanged,
    ProductCreated,
    RemainderCancelled,
    ReturnApproved,
    ReturnDeclined,
    ReturnRequested,
    StockAdjusted,
    StockCommitted,
    StockLost,
    StockRejected,
    StockReleased,
    StockReserved,
    StockReturned,
    TrackingCorrected,
)
from tests.model.ordering import EVENT_MAILS, Ordering, counted


class Shop(Ordering):
    def __init__(self) -> None:
        super().__init__()
        self.on_hand: Counter[str] = Counter()
        self.discontinued: set[str] = set()
        self.held: dict[UUID, dict[int, Counter[str]]] = {}
        """The revisions of an order whose stock is held: one, or two during an amendment."""
        self.lost: defaultdict[tuple[UUID, int], Counter[str]] = defaultdict(Counter)
        """What is missing of each revision: it was held, and staff took it off the stock."""
        self.losing: list[tuple[UUID, int, str]] = []
        """The revisions that lose pieces of a SKU by the adjustment that follows."""
        self.missing_requests: Counter[tuple[UUID, int]] = Counter()
        """How many requests for pieces that were lost have no reply yet."""
        self.replied: Counter[tuple[UUID, int]] = Counter()
        """How many replies each revision has."""
        self.ended: set[UUID] = set()
        """The orders whose stock was released."""
        self.sent: Counter[tuple[UUID, str]] = Counter()
        """Mails that were sent, or failed because their customer was erased."""
        self.without_mails: set[UUID] = set()
        """The customers whose erasure notifier_svc has acknowledged."""

    def reserved(self, sku: str) -> int:
        return sum(self.held_for(order)[sku] for order in self.held)

    def held_for(self, order: UUID) -> Counter[str]:
        """For each SKU, the larger quantity of the revisions that are held."""
        return reduce(or_, self.held.get(order, {}).values(), Counter())

    def short(self, order: UUID, wanted: Counter[str]) -> dict[str, int]:
        """The SKUs that are short for an order, with the quantity that it can get."""
        has = self.held_for(order)
        left = {sku: has[sku] + self._available(sku) for sku in wanted if wanted[sku] > has[sku]}
        return {sku: number for sku, number in left.items() if number < wanted[sku]}

    def _available(self, sku: str) -> int:
        return 0 if sku in self.discontinued else self.on_hand[sku] - self.reserved(sku)

    def can_be_adjusted(self, sku: str, delta: int, *, take_held: bool = False) -> bool:
        return self.on_hand[sku] + delta >= (0 if take_held else self.reserved(sku))

    def missing(self, order: UUID) -> Counter[str]:
        """What was lost of an order, of the revision that it has."""
        return +self.lost[order, self.revisions[order]]

    def at_rest(self, order: UUID) -> bool:
        """Whether nothing is left to do for an order. Mails that customers can switch off do not count."""
        mails = {due: n for due, n in self.due.items() if due[0] == order and due[1] not in OPTIONAL_TEMPLATES}
        held = (self.orders[order] in ("REJECTED", "CANCELLED") and self.held_for(order)) or order in self.remainders
        return not self.waits(order) and not held and all(self.sent[due] >= n for due, n in mails.items())

    def take(self, event: Event) -> None:
        """Take an event; fail if it must not happen now."""
        if template := EVENT_MAILS.get(type(event)):
            self.due[getattr(event, "order_id"), template] += 1  # noqa: B009
        match event:
            case StockAdjusted(sku=sku, delta=delta):
                self._cap_others()
                self.on_hand[sku] += delta
                assert (event.on_hand, event.reserved) == (self.on_hand[sku], self.reserved(sku))
            case OrderPlaced() | OrderAmended():
                self.request_stock(event)
            case MissingRequested():
                self._request_missing(event)
            case StockLost():
                self._lose(event)
            case StockReserved() | StockRejected():
                self._reply(event)
            case StockReleased() | StockCommitted() | StockReturned():
                self._move_stock(event)
            case OrderConfirmed() | OrderRejected() | OrderCancelled() | AmendmentAccepted() | AmendmentRefused():
                self.decide(event)
            case OrderShipped() | RemainderCancelled() | OrderDelivered() | OrderUndelivered() | OrderReturned():
                self.fulfil(event)
            case TrackingCorrected() | ParcelDelivered() | ParcelFailed() | ParcelReturned():
                self.track(event)
            case ReturnRequested() | ReturnApproved() | ReturnDeclined():
                self.answer(event)
            case MailSent(order_id=UUID() as order, template=template):
                assert event.customer_id not in self.without_mails
                self.sent[order, template] += 1
                assert self.sent <= self.due
            case MailFailed(order_id=UUID() as order, template=template):
                # Until the erasure is acknowledged, it can also be sent.
                assert event.reason == "the customer was erased"
                self.sent[order, template] += 1
                assert self.sent <= self.due
            case MailSent(template="account_erased", customer_id=customer):
                assert customer in self.without_mails
            case OrdersAnonymised(customer_id=customer):
                self.without_orders.add(customer)
                assert not any(map(self.can_be_cancelled, self.orders_of(customer)))
                assert not any(map(self.remainder_can_be_cancelled, self.orders_of(customer)))
            case MailsAnonymised(customer_id=customer):
                self.without_mails.add(customer)
            case ProductChanged(offers=offers):
                self.discontinued = {offer.sku for offer in offers if not offer.for_sale}
            case other:
                assert isinstance(other, ProductCreated | CustomerRegistered)

    def orders_of(self, customer: UUID) -> list[UUID]:
        return [order for order, whose in self.customers.items() if whose == customer]

    def _reply(self, event: StockReserved | StockRejected) -> None:
        order, revision = event.order_id, event.revision
        self.replied[order, revision] += 1
        assert self.replied[order, revision] <= self.requests[order, revision], "one reply per request"
        assert order not in self.ended, "no reply after the release"
        if self.replied[order, revision] > 1:
            # A revision that was withdrawn meanwhile is rejected, whatever the reply was before.
            withdrawn = isinstance(event, StockRejected) and self.waiting.get(order) != revision
            assert withdrawn or self.replies[order, revision] is type(event), "the same reply again"
            return
        self.replies[order, revision] = type(event)
        (wanted, replaces), has = self.requested[order, revision], self.held.get(order, {})
        if isinstance(event, StockReserved):
            assert not self.short(order, wanted)
            assert counted(event.lines) == wanted
            self.held[order] = self._settled(has, replaces) | {revision: wanted}
        else:
            # An amendment that was withdrawn before the request arrived is rejected without a look at the stock.
            shortages = {short.sku: short.available for short in event.shortages}
            assert shortages == self.short(order, wanted) != {} or (
                not shortages and self.waiting.get(order) != revision
            )
            if has:
                self.held[order] = self._settled(has, replaces)

    def _request_missing(self, event: MissingRequested) -> None:
        assert self.orders[event.order_id] in ("CONFIRMED", "SHIPPED")
        assert event.order_id not in self.waiting
        assert self.unshipped(event.order_id)
        assert event.revision == self.revisions[event.order_id]
        self.missing_requests[event.order_id, event.revision] += 1

    def _lose(self, event: StockLost) -> None:
        """Pieces of a revision are lost; or they were requested again, and are reserved all or not."""
        order, now, held = event.order_id, counted(event.lines), self.held[event.order_id]
        which = order, event.revision
        whole, before = held[event.revision] + self.lost[which], self.lost[which]
        assert now <= whole
        if now <= before:
            self.missing_requests[which] -= 1
            assert self.missing_requests[which] >= 0, "one reply per request"
            assert now == (before if self.short(order, whole) else Counter())
        else:
            assert now > before
            self.losing += [(order, event.revision, sku) for sku in now - before]
        held[event.revision], self.lost[which] = whole - now, now

    def _cap_others(self) -> None:
        """Nothing is held for a revision that the order has no more, beyond what one that lost pieces keeps.

        It was dropped without an event where that released nothing.
        """
        for order, revision, sku in self.losing:
            for held in self.held[order].values():
                held[sku] = min(held[sku], self.held[order][revision][sku])
        self.losing.clear()

    def _move_stock(self, event: StockReleased | StockCommitted | StockReturned) -> None:
        order, lines, before = event.order_id, counted(event.lines), self.held_for(event.order_id)
        if isinstance(event, StockReturned):
            assert self.parcels.pop(event.return_id) == lines
            self.on_hand += lines
        elif isinstance(event, StockCommitted):
            assert self.parcels.pop(event.shipment_id) == lines
            [(revision, has)] = self._settled(self.held[order], self.revisions[order]).items()
            # What the order shipped before it knew of the loss was not lost.
            found = lines - has
            assert found <= self.lost[order, revision]
            self.lost[order, revision] -= found
            self.held[order] = {revision: has - lines}
            self.on_hand = +(self.on_hand + found - lines)
        elif event.remainder:
            cancelled = self.remainders.pop(order)
            [(revision, has)] = self._settled(self.held[order], self.revisions[order]).items()
            assert lines == cancelled - self.lost[order, revision]
            self.lost[order, revision] -= cancelled
            assert has >= lines
            self.held[order] = {revision: has - lines}
        elif event.revision is None:
            assert self.orders[order] == "CANCELLED"
            assert order not in self.ended
            assert lines == before
            self.held.pop(order, None)
            self.ended.add(order)
        else:
            old, new = sorted(self.held[order])
            assert event.revision == new != self.waiting.get(order)
            self.held[order] = self._settled(self.held[order], new if (order, new) in self.accepted else old)
            assert lines == before - self.held_for(order)

    @staticmethod
    def _settled(held: dict[int, Counter[str]], has: int) -> dict[int, Counter[str]]:
        """What is held for the revision that the order has; if that one was rejected, for the oldest that is held."""
        revision = has if has in held else min(held, default=None)
        return {} if revision is None else {revision: held[revision]}
