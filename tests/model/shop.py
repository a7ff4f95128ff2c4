"""The specification of the platform: what may be told, by whom, and when.

A ``Shop`` hears every event in the order in which the services commit them, whatever Kafka makes of that
order later, and refuses what could not be. How many pieces there are, who holds them, what has become of each
order and which mails are due follows from what it has heard.
"""

from collections import Counter
from typing import Literal
from uuid import UUID

from schemas import (
    CustomerRegistered,
    Event,
    MailSent,
    OrderCancelled,
    OrderConfirmed,
    OrderPlaced,
    OrderRejected,
    ProductCreated,
    StockAdjusted,
    StockRejected,
    StockReleased,
    StockReserved,
)
from schemas.values import Line

ENDS = {"CONFIRMED": "receipt", "REJECTED": "rejected", "CANCELLED": "cancelled"}
"""How an order can end, and the mail about it."""


class Shop:
    def __init__(self) -> None:
        self.on_hand: Counter[str] = Counter()
        self.asked: dict[UUID, Counter[str]] = {}
        self.held: dict[UUID, Counter[str]] = {}
        self.answers: dict[UUID, Literal["held", "rejected", "released"]] = {}
        self.orders: dict[UUID, Literal["PENDING", "CONFIRMED", "REJECTED", "CANCELLED"]] = {}
        self.due: set[tuple[UUID, str]] = set()
        self.sent: set[tuple[UUID, str]] = set()

    def reserved(self, sku: str) -> int:
        return sum(lines[sku] for lines in self.held.values())

    def short(self, order: UUID) -> dict[str, int]:
        """The SKUs of which there is not enough left for an order, with how many there are."""
        left = {sku: self.on_hand[sku] - self.reserved(sku) for sku in self.asked[order]}
        return {sku: number for sku, number in left.items() if number < self.asked[order][sku]}

    def can_be_cancelled(self, order: UUID) -> bool:
        return self.orders[order] in ("PENDING", "CONFIRMED")

    def can_be_adjusted(self, sku: str, delta: int) -> bool:
        return self.on_hand[sku] + delta >= self.reserved(sku)

    def hear(self, event: Event) -> None:
        """Take an event as told, if it can be."""
        match event:
            case StockAdjusted(sku=sku, delta=delta):
                self.on_hand[sku] += delta
                assert (event.on_hand, event.reserved) == (self.on_hand[sku], self.reserved(sku))
            case OrderPlaced(order_id=order):
                assert order not in self.orders
                self.orders[order], self.asked[order] = "PENDING", counted(event.lines)
            case StockReserved(order_id=order):
                assert order not in self.answers, "one answer, and none after the release"
                assert not self.short(order)
                self.answers[order], self.held[order] = "held", counted(event.lines)
                assert self.held[order] == self.asked[order]
            case StockRejected(order_id=order):
                assert order not in self.answers
                assert {short.sku: short.available for short in event.shortages} == self.short(order) != {}
                self.answers[order] = "rejected"
            case StockReleased(order_id=order):
                assert self.orders[order] == "CANCELLED"
                assert self.answers.get(order, "held") == "held", "released once"
                assert counted(event.lines) == self.held.pop(order, Counter())
                self.answers[order] = "released"
            case OrderConfirmed(order_id=order):
                assert self.orders[order] == "PENDING"
                assert counted(event.lines) == self.held[order]
                self._end(order, "CONFIRMED")
            case OrderRejected(order_id=order):
                assert (self.orders[order], self.answers[order]) == ("PENDING", "rejected")
                self._end(order, "REJECTED")
            case OrderCancelled(order_id=order):
                assert self.orders[order] == "PENDING" or (
                    self.orders[order] == "CONFIRMED" and event.reason == "customer"
                )
                self._end(order, "CANCELLED")
            case MailSent(order_id=UUID() as order, template=template):
                assert (order, template) in self.due - self.sent
                self.sent.add((order, template))
            case other:
                assert isinstance(other, ProductCreated | CustomerRegistered)

    def _end(self, order: UUID, how: Literal["CONFIRMED", "REJECTED", "CANCELLED"]) -> None:
        self.orders[order] = how
        self.due.add((order, ENDS[how]))


def counted(lines: tuple[Line, ...]) -> Counter[str]:
    """SKU → quantity."""
    return Counter({line.sku: line.quantity for line in lines})
