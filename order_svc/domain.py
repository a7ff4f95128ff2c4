"""What an order is, and the moves it can make.

How it is amended, shipped and returned stands in ``amending.domain`` and ``fulfilment.domain``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from chassis.persistence.unit_of_work import next_time
from order_svc.errors import MixedCurrencies, NotPossibleNow, OrderTooLarge
from order_svc.parts import Amendment, Return, Shipment
from schemas import (
    Address,
    Line,
    Money,
    OrderCancelled,
    OrderConfirmed,
    OrderPlaced,
    OrderRejected,
    PricedLine,
    Shortage,
)
from schemas.values import MAX_MINOR_UNITS

State = Literal["PENDING", "CONFIRMED", "REJECTED", "CANCELLED", "SHIPPED", "DELIVERED"]
Reason = Literal["timeout", "customer", "staff"]

MOVES: Mapping[State, Mapping[str, State]] = {
    "PENDING": {
        "confirm": "CONFIRMED",
        "reject": "REJECTED",
        "cancel": "CANCELLED",
        "amend": "PENDING",
        "accept": "PENDING",
        "refuse": "PENDING",
        "ask again": "PENDING",
    },
    "CONFIRMED": {
        "cancel": "CANCELLED",
        "amend": "CONFIRMED",
        "accept": "CONFIRMED",
        "refuse": "CONFIRMED",
        "ask again": "CONFIRMED",
        "ship": "SHIPPED",
    },
    "REJECTED": {},
    "CANCELLED": {},
    "SHIPPED": {"ship": "SHIPPED", "deliver": "DELIVERED"},
    "DELIVERED": {"return": "DELIVERED"},
}
"""From which state which move leads where; any other move is refused."""

ONLY_IF: Mapping[str, Callable[["Order"], bool]] = {
    "amend": lambda order: order.amendment is None,
    "accept": lambda order: order.amendment is not None,
    "refuse": lambda order: order.amendment is not None,
    "ship": lambda order: order.amendment is None and bool(order.unshipped),
    "deliver": lambda order: not order.unshipped,
    "return": lambda order: bool(order.returnable),
}
"""What must be so beside the state. What is to be shipped must be known, so an amendment comes to its end first."""

FIRST_VERSION = 1
"""Of an order that was placed just now."""
STEPS = ("amend", "cancel", "deliver", "return", "ship")
"""The moves that somebody may ask for; the others follow from what other services answer."""


@dataclass(frozen=True, slots=True)
class Product:
    """What order_svc knows of a SKU: a copy of the catalogue, kept by its events."""

    sku: str
    product_id: UUID
    name: str
    price: Money
    version: int
    for_sale: bool = True


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A customer who was erased: the orders stay, and nobody knows whose they were."""

    customer_id: UUID
    forgotten_at: datetime


@dataclass(frozen=True, slots=True)
class Order:
    """An order. Its lines keep the price and the name that they were ordered at.

    ``revision`` is the one that holds; ``last_revision`` the newest that stock was asked for, and ``asked`` how often
    it was. ``reminded``: it was asked for again since it was waited for, and the last half of the deadline runs.
    """

    id: UUID
    customer_id: UUID
    state: State
    lines: tuple[PricedLine, ...]
    total: Money
    shipping_address: Address
    shortages: tuple[Shortage, ...]
    reason: Reason | None
    version: int
    placed_at: datetime
    changed_at: datetime
    billing_address: Address | None = None
    notes: str | None = None
    note: str | None = None
    revision: int = 1
    last_revision: int = 1
    asked: int = 1
    reminded: bool = False
    amendment: Amendment | None = None
    shipments: tuple[Shipment, ...] = ()
    returns: tuple[Return, ...] = ()

    @property
    def steps(self) -> list[str]:
        """What may be asked for next."""
        return [step for step in STEPS if self._can(step)]

    @property
    def waits(self) -> bool:
        """Is an answer about its stock still to come?"""
        return self.state == "PENDING" or self.amendment is not None

    @property
    def unshipped(self) -> dict[str, int]:
        """SKU → how many are still to be shipped."""
        return _difference(self.lines, self.shipments)

    @property
    def returnable(self) -> dict[str, int]:
        """SKU → how many were shipped and have not come back."""
        shipped = [line for shipment in self.shipments for line in shipment.lines]
        return _difference(shipped, self.returns)

    def confirm(self, now: datetime) -> tuple["Order", OrderConfirmed]:
        """Its stock is reserved."""
        order = self.moved("confirm", now)
        return order, OrderConfirmed(
            order_id=self.id,
            customer_id=self.customer_id,
            lines=self.lines,
            total=self.total,
            shipping_address=self.shipping_address,
            revision=self.revision,
        )

    def reject(self, shortages: Sequence[Shortage], now: datetime) -> tuple["Order", OrderRejected]:
        """Its stock cannot be reserved."""
        order = self.moved("reject", now, shortages=tuple(shortages), amendment=None)
        return order, OrderRejected(
            order_id=self.id, customer_id=self.customer_id, lines=self.lines, shortages=order.shortages
        )

    def cancel(self, reason: Reason, now: datetime, note: str | None = None) -> tuple["Order", OrderCancelled]:
        """It ends before shipping; what is reserved for it is released."""
        order = self.moved("cancel", now, reason=reason, note=note, amendment=None)
        return order, OrderCancelled(order_id=self.id, customer_id=self.customer_id, reason=reason, note=note)

    def check(self, move: str) -> None:
        """Raise ``NotPossibleNow``, with the steps that are possible, where a move is not."""
        if not self._can(move):
            raise NotPossibleNow(
                f"An order that is {self.state} cannot {move} now.", state=self.state, allowed=self.steps
            )

    def moved(self, move: str, now: datetime, **changes: Any) -> "Order":
        """The order after a move, with fields changed; raise ``NotPossibleNow``."""
        self.check(move)
        return replace(
            self,
            state=MOVES[self.state][move],
            version=self.version + 1,
            changed_at=next_time(now, self.changed_at),
            **changes,
        )

    def _can(self, move: str) -> bool:
        return move in MOVES[self.state] and (move not in ONLY_IF or ONLY_IF[move](self))


def place(
    order_id: UUID,
    customer_id: UUID,
    lines: Sequence[PricedLine],
    address: Address,
    now: datetime,
    billing_address: Address | None = None,
    notes: str | None = None,
) -> tuple[Order, OrderPlaced]:
    """A new order; raise ``MixedCurrencies`` or ``OrderTooLarge``."""
    total = total_of(lines)
    order = Order(
        *(order_id, customer_id, "PENDING", tuple(lines), total, address, (), None, FIRST_VERSION, now, now),
        billing_address=billing_address,
        notes=notes,
    )
    return order, placed(order)


def placed(order: Order) -> OrderPlaced:
    """What asks for the stock of an order."""
    return OrderPlaced(
        order_id=order.id,
        customer_id=order.customer_id,
        lines=order.lines,
        total=order.total,
        shipping_address=order.shipping_address,
        billing_address=order.billing_address,
        notes=order.notes,
    )


def priced(product: Product, quantity: int) -> PricedLine:
    """A line at the catalogue's price: what a client says a thing costs is never asked."""
    return PricedLine(sku=product.sku, quantity=quantity, name=product.name, unit_price=product.price)


def summed(lines: Sequence[Line]) -> dict[str, int]:
    """SKU → quantity; a SKU that is mentioned twice counts together, in the place of its first mention."""
    totals: dict[str, int] = {}
    for line in lines:
        totals[line.sku] = totals.get(line.sku, 0) + line.quantity
    return totals


def total_of(lines: Sequence[PricedLine]) -> Money:
    """What lines cost together; raise ``MixedCurrencies`` or ``OrderTooLarge``."""
    currencies = {line.unit_price.currency for line in lines}
    if len(currencies) > 1:
        raise MixedCurrencies(currencies=sorted(currencies))
    amount = sum(line.unit_price.amount * line.quantity for line in lines)
    if amount > MAX_MINOR_UNITS:
        raise OrderTooLarge
    return Money(amount=amount, currency=currencies.pop())


def _difference(lines: Sequence[Line], parts: Sequence[Shipment | Return]) -> dict[str, int]:
    """SKU → what is left of lines when parts of them have gone; only what is more than nothing."""
    gone = summed([line for part in parts for line in part.lines])
    return {sku: left for sku, n in summed(lines).items() if (left := n - gone.get(sku, 0)) > 0}
