"""The specification of the platform: what may be told, by whom, and when.

A ``Shop`` hears every event in the order in which the services commit them, whatever Kafka makes of that
order later, and refuses what could not be. How many pieces there are, who holds them, what has become of each
order and which mails are due follows from what it has heard.
"""

from collections import Counter
from functools import reduce
from operator import or_
from uuid import UUID

from schemas import (
    AmendmentAccepted,
    AmendmentRefused,
    CustomerRegistered,
    Event,
    MailFailed,
    MailsAnonymised,
    MailSent,
    OrderAmended,
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderPlaced,
    OrderRejected,
    OrderReturned,
    OrdersAnonymised,
    OrderShipped,
    ProductChanged,
    ProductCreated,
    StockAdjusted,
    StockCommitted,
    StockRejected,
    StockReleased,
    StockReserved,
    StockReturned,
)
from tests.model.ordering import NEWS, Ordering, counted


class Shop(Ordering):
    def __init__(self) -> None:
        super().__init__()
        self.on_hand: Counter[str] = Counter()
        self.discontinued: set[str] = set()
        self.held: dict[UUID, dict[int, Counter[str]]] = {}
        """The revisions of an order whose stock is held: one, or two while the order has not decided."""
        self.answered: Counter[tuple[UUID, int]] = Counter()
        """How often each revision was."""
        self.ended: set[UUID] = set()
        """The orders whose stock was released."""
        self.sent: Counter[tuple[UUID, str]] = Counter()
        """Or ended, where nobody is left who it could be sent to."""
        self.without_mails: set[UUID] = set()
        """The customers who were erased, as far as who mails them has heard."""

    def reserved(self, sku: str) -> int:
        return sum(self.set_aside(order)[sku] for order in self.held)

    def set_aside(self, order: UUID) -> Counter[str]:
        """Of each SKU, what the larger of the revisions that are held needs."""
        return reduce(or_, self.held.get(order, {}).values(), Counter())

    def short(self, order: UUID, wanted: Counter[str]) -> dict[str, int]:
        """The SKUs of which there is not enough for an order, with how many there are for it."""
        has = self.set_aside(order)
        left = {sku: has[sku] + self._promised_on_top(sku) for sku in wanted if wanted[sku] > has[sku]}
        return {sku: number for sku, number in left.items() if number < wanted[sku]}

    def _promised_on_top(self, sku: str) -> int:
        return 0 if sku in self.discontinued else self.on_hand[sku] - self.reserved(sku)

    def can_be_adjusted(self, sku: str, delta: int) -> bool:
        return self.on_hand[sku] + delta >= self.reserved(sku)

    def at_rest(self, order: UUID) -> bool:
        """Is nothing due to an order? The mails that customers can do without are left out."""
        mails = {due: n for due, n in self.due.items() if due[0] == order and due[1] not in ("shipped", "delivered")}
        kept = self.orders[order] not in ("REJECTED", "CANCELLED") or not self.set_aside(order)
        return not self.waits(order) and kept and all(self.sent[due] >= n for due, n in mails.items())

    def hear(self, event: Event) -> None:
        """Take an event as told, if it can be."""
        if template := NEWS.get(type(event)):
            self.due[getattr(event, "order_id"), template] += 1  # noqa: B009
        match event:
            case StockAdjusted(sku=sku, delta=delta):
                self.on_hand[sku] += delta
                assert (event.on_hand, event.reserved) == (self.on_hand[sku], self.reserved(sku))
            case OrderPlaced() | OrderAmended():
                self.take_order(event)
            case StockReserved() | StockRejected():
                self._answer(event)
            case StockReleased() | StockCommitted() | StockReturned():
                self._move_stock(event)
            case OrderConfirmed() | OrderRejected() | OrderCancelled() | AmendmentAccepted() | AmendmentRefused():
                self.decide(event)
            case OrderShipped() | OrderDelivered() | OrderReturned():
                self.fulfil(event)
            case MailSent(order_id=UUID() as order, template=template):
                assert event.customer_id not in self.without_mails
                self.sent[order, template] += 1
                assert self.sent <= self.due
            case MailFailed(order_id=UUID() as order, template=template):
                # To the last moment before that it can be sent.
                assert event.reason == "the customer was erased"
                self.sent[order, template] += 1
                assert self.sent <= self.due
            case OrdersAnonymised(customer_id=customer):
                self.without_orders.add(customer)
                assert not any(self.can_be_cancelled(order) for order in self.orders_of(customer))
            case MailsAnonymised(customer_id=customer):
                self.without_mails.add(customer)
            case ProductChanged(offers=offers):
                self.discontinued = {offer.sku for offer in offers if not offer.for_sale}
            case other:
                assert isinstance(other, ProductCreated | CustomerRegistered)

    def orders_of(self, customer: UUID) -> list[UUID]:
        return [order for order, whose in self.customers.items() if whose == customer]

    def _answer(self, event: StockReserved | StockRejected) -> None:
        order, revision = event.order_id, event.revision
        self.answered[order, revision] += 1
        assert self.answered[order, revision] <= self.questions[order, revision], "one answer a question"
        assert order not in self.ended, "and none after the release"
        if self.answered[order, revision] > 1:
            # What was withdrawn meanwhile is refused, whatever was answered before.
            withdrawn = isinstance(event, StockRejected) and self.waiting.get(order) != revision
            assert withdrawn or self.answers[order, revision] is type(event), "the same again"
            return
        self.answers[order, revision] = type(event)
        (wanted, replaces), has = self.asked[order, revision], self.held.get(order, {})
        if isinstance(event, StockReserved):
            assert not self.short(order, wanted)
            assert counted(event.lines) == wanted
            self.held[order] = self._settled(has, replaces) | {revision: wanted}
        else:
            # Whoever withdrew it before it was asked for has made it impossible, and nothing was looked at.
            told = {short.sku: short.available for short in event.shortages}
            assert told == self.short(order, wanted) != {} or (not told and self.waiting.get(order) != revision)
            if has:
                self.held[order] = self._settled(has, replaces)

    def _move_stock(self, event: StockReleased | StockCommitted | StockReturned) -> None:
        order, lines, before = event.order_id, counted(event.lines), self.set_aside(event.order_id)
        if isinstance(event, StockReturned):
            assert self.parcels.pop(event.return_id) == lines
            self.on_hand += lines
        elif isinstance(event, StockCommitted):
            assert self.parcels.pop(event.shipment_id) == lines
            [(revision, has)] = self._settled(self.held[order], self.revisions[order]).items()
            assert has >= lines
            self.held[order] = {revision: has - lines}
            self.on_hand = +(self.on_hand - lines)
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
            assert lines == before - self.set_aside(order)

    @staticmethod
    def _settled(held: dict[int, Counter[str]], has: int) -> dict[int, Counter[str]]:
        """Of what is held, that of the revision which the order has; of a first that was refused, what there is."""
        revision = has if has in held else min(held, default=None)
        return {} if revision is None else {revision: held[revision]}
