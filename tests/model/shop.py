"""The specification of the platform: what may be told, by whom, and when.

A ``Shop`` hears every event in the order in which the services commit them, whatever Kafka makes of that
order later, and refuses what could not be. How many pieces there are, who holds them, what has become of each
order and which mails are due follows from what it has heard.
"""

from collections import Counter
from functools import reduce
from operator import or_
from typing import Literal
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
    ProductCreated,
    StockAdjusted,
    StockCommitted,
    StockRejected,
    StockReleased,
    StockReserved,
    StockReturned,
)
from schemas.values import Line

State = Literal["PENDING", "CONFIRMED", "REJECTED", "CANCELLED", "SHIPPED", "DELIVERED"]

MAILS = {"CONFIRMED": "receipt", "REJECTED": "rejected", "CANCELLED": "cancelled"}
"""What an order can come to, and the mail about it."""

NEWS: dict[type[Event], str] = {
    AmendmentAccepted: "order_amended",
    AmendmentRefused: "amendment_refused",
    OrderShipped: "shipped",
    OrderDelivered: "delivered",
    OrderReturned: "return_received",
}
"""What else happens to it, and the mail about that, each time."""


class Shop:
    def __init__(self) -> None:
        self.on_hand: Counter[str] = Counter()
        self.asked: dict[tuple[UUID, int], tuple[Counter[str], int]] = {}
        """What each revision of an order is, and which it replaces."""
        self.held: dict[UUID, dict[int, Counter[str]]] = {}
        """The revisions of an order whose stock is held: one, or two while the order has not decided."""
        self.ended: set[UUID] = set()
        """The orders whose stock was released."""
        self.answers: dict[tuple[UUID, int], type[StockReserved | StockRejected]] = {}
        self.orders: dict[UUID, State] = {}
        self.lines: dict[UUID, Counter[str]] = {}
        self.revisions: dict[UUID, int] = {}
        self.waiting: dict[UUID, int] = {}
        """The amendments that are not answered."""
        self.accepted: set[tuple[UUID, int]] = set()
        self.shipped: dict[UUID, Counter[str]] = {}
        self.returned: dict[UUID, Counter[str]] = {}
        self.parcels: dict[UUID, Counter[str]] = {}
        """Shipments and returns that the stock has not heard of."""
        self.due: Counter[tuple[UUID, str]] = Counter()
        self.sent: Counter[tuple[UUID, str]] = Counter()
        """Or ended, where nobody is left who it could be sent to."""
        self.customers: dict[UUID, UUID] = {}
        """Whose an order is."""
        self.without_orders: set[UUID] = set()
        self.without_mails: set[UUID] = set()
        """The customers who were erased, as far as the one and the other has heard."""

    def reserved(self, sku: str) -> int:
        return sum(self.set_aside(order)[sku] for order in self.held)

    def set_aside(self, order: UUID) -> Counter[str]:
        """Of each SKU, what the larger of the revisions that are held needs."""
        return reduce(or_, self.held.get(order, {}).values(), Counter())

    def short(self, order: UUID, wanted: Counter[str]) -> dict[str, int]:
        """The SKUs of which there is not enough for an order, with how many there are for it."""
        has = self.set_aside(order)
        left = {sku: self.on_hand[sku] - self.reserved(sku) + has[sku] for sku in wanted if wanted[sku] > has[sku]}
        return {sku: number for sku, number in left.items() if number < wanted[sku]}

    def can_be_cancelled(self, order: UUID) -> bool:
        return self.orders[order] in ("PENDING", "CONFIRMED")

    def can_be_amended(self, order: UUID) -> bool:
        return self.can_be_cancelled(order) and order not in self.waiting

    def unshipped(self, order: UUID) -> Counter[str]:
        return self.lines[order] - self.shipped[order]

    def can_be_shipped(self, order: UUID) -> bool:
        return (
            self.orders[order] in ("CONFIRMED", "SHIPPED")
            and order not in self.waiting
            and bool(self.unshipped(order))
        )

    def can_be_delivered(self, order: UUID) -> bool:
        return self.orders[order] == "SHIPPED" and not self.unshipped(order)

    def returnable(self, order: UUID) -> Counter[str]:
        return self.shipped[order] - self.returned[order]

    def can_be_returned(self, order: UUID) -> bool:
        return self.orders[order] == "DELIVERED" and bool(self.returnable(order))

    def can_be_adjusted(self, sku: str, delta: int) -> bool:
        return self.on_hand[sku] + delta >= self.reserved(sku)

    def hear(self, event: Event) -> None:
        """Take an event as told, if it can be."""
        if template := NEWS.get(type(event)):
            self.due[getattr(event, "order_id"), template] += 1  # noqa: B009
        match event:
            case StockAdjusted(sku=sku, delta=delta):
                self.on_hand[sku] += delta
                assert (event.on_hand, event.reserved) == (self.on_hand[sku], self.reserved(sku))
            case OrderPlaced() | OrderAmended():
                self._ask(event)
            case StockReserved() | StockRejected():
                self._answer(event)
            case StockReleased() | StockCommitted() | StockReturned():
                self._move_stock(event)
            case OrderConfirmed() | OrderRejected() | OrderCancelled() | AmendmentAccepted() | AmendmentRefused():
                self._decide(event)
            case OrderShipped() | OrderDelivered() | OrderReturned():
                self._fulfil(event)
            case MailSent(order_id=UUID() as order, template=template):
                assert event.customer_id not in self.without_mails
                self.sent[order, template] += 1
                assert self.sent <= self.due
            case MailFailed(order_id=UUID() as order, template=template):
                # To the last moment before that it can be sent.
                assert event.reason == "forgotten"
                self.sent[order, template] += 1
                assert self.sent <= self.due
            case OrdersAnonymised(customer_id=customer):
                self.without_orders.add(customer)
                assert not any(self.can_be_cancelled(order) for order in self.orders_of(customer))
            case MailsAnonymised(customer_id=customer):
                self.without_mails.add(customer)
            case other:
                assert isinstance(other, ProductCreated | CustomerRegistered)

    def orders_of(self, customer: UUID) -> list[UUID]:
        return [order for order, whose in self.customers.items() if whose == customer]

    def _ask(self, event: OrderPlaced | OrderAmended) -> None:
        order, revision = event.order_id, event.revision
        if isinstance(event, OrderPlaced):
            assert order not in self.orders
            assert event.customer_id not in self.without_orders
            self.customers[order] = event.customer_id
            self.orders[order], self.lines[order], self.revisions[order] = "PENDING", counted(event.lines), 1
            self.shipped[order], self.returned[order] = Counter(), Counter()
            self.asked[order, 1] = counted(event.lines), 1
            return
        assert self.can_be_amended(order)
        assert (order, revision) not in self.asked
        assert (order, revision - 1) in self.asked
        assert event.replaces == self.revisions[order]
        self.asked[order, revision] = counted(event.lines), event.replaces
        self.waiting[order] = revision

    def _answer(self, event: StockReserved | StockRejected) -> None:
        order, revision = event.order_id, event.revision
        wanted, replaces = self.asked[order, revision]
        assert (order, revision) not in self.answers, "one answer a revision"
        assert order not in self.ended, "and none after the release"
        self.answers[order, revision] = type(event)
        has = self.held.get(order, {})
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
        elif self.orders[order] == "CANCELLED" and lines == before and order not in self.ended:
            self.held.pop(order, None)
            self.ended.add(order)
        else:
            *_, newest = sorted(self.held[order])
            decided = newest if (order, newest) in self.accepted else min(self.held[order])
            assert self.waiting.get(order) != newest
            self.held[order] = self._settled(self.held[order], decided)
            assert lines == before - self.set_aside(order)

    @staticmethod
    def _settled(held: dict[int, Counter[str]], has: int) -> dict[int, Counter[str]]:
        """Of what is held, that of the revision which the order has; of a first that was refused, what there is."""
        revision = has if has in held else min(held, default=None)
        return {} if revision is None else {revision: held[revision]}

    def _decide(
        self, event: OrderConfirmed | OrderRejected | OrderCancelled | AmendmentAccepted | AmendmentRefused
    ) -> None:
        order, waited = event.order_id, self.waiting.get(event.order_id)
        if isinstance(event, AmendmentAccepted | AmendmentRefused):
            assert event.revision == self.waiting.pop(order, None)
        match event:
            case AmendmentAccepted():
                assert self.answers.get((order, event.revision)) is StockReserved
                self.lines[order], self.revisions[order] = counted(event.lines), event.revision
                self.accepted.add((order, event.revision))
            case AmendmentRefused():
                # Without shortages, the deadline has passed.
                assert not event.shortages or self.answers.get((order, event.revision)) is StockRejected
            case OrderConfirmed():
                assert self.orders[order] == "PENDING"
                assert self.answers.get((order, event.revision)) is StockReserved
                assert event.revision == self.revisions[order]
                assert counted(event.lines) == self.lines[order]
                self._come_to(order, "CONFIRMED")
            case OrderRejected():
                assert self.orders[order] == "PENDING"
                assert {self.answers.get((order, r)) for r in {1, waited or 1}} == {StockRejected}
                self._come_to(order, "REJECTED")
            case OrderCancelled():
                assert self.orders[order] == "PENDING" or (
                    self.orders[order] == "CONFIRMED" and event.reason == "customer"
                )
                self._come_to(order, "CANCELLED")

    def _fulfil(self, event: OrderShipped | OrderDelivered | OrderReturned) -> None:
        order = event.order_id
        match event:
            case OrderShipped():
                assert self.can_be_shipped(order)
                parcel = counted(event.lines)
                assert parcel <= self.unshipped(order)
                assert event.revision == self.revisions[order]
                self.orders[order], self.parcels[event.shipment_id] = "SHIPPED", parcel
                self.shipped[order] += parcel
                assert event.complete is not bool(self.unshipped(order))
            case OrderDelivered():
                assert self.can_be_delivered(order)
                self.orders[order] = "DELIVERED"
            case OrderReturned():
                assert self.orders[order] == "DELIVERED"
                back = counted(event.lines)
                assert back <= self.returnable(order)
                self.parcels[event.return_id] = back
                self.returned[order] += back

    def _come_to(self, order: UUID, state: State) -> None:
        self.orders[order] = state
        self.due[order, MAILS[state]] += 1
        if state != "CONFIRMED":
            self.waiting.pop(order, None)


def counted(lines: tuple[Line, ...]) -> Counter[str]:
    """SKU → quantity."""
    return Counter({line.sku: line.quantity for line in lines})
