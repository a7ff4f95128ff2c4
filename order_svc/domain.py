"""What an order is, and the moves it can make."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from chassis.unit import later
from order_svc.errors import MixedCurrencies, NotPossibleNow, OrderTooLarge
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

State = Literal["PENDING", "CONFIRMED", "REJECTED", "CANCELLED"]
Reason = Literal["timeout", "customer", "staff"]

MOVES: Mapping[State, Mapping[str, State]] = {
    "PENDING": {"confirm": "CONFIRMED", "reject": "REJECTED", "cancel": "CANCELLED"},
    "CONFIRMED": {"cancel": "CANCELLED"},
    "REJECTED": {},
    "CANCELLED": {},
}
"""From which state which move leads where; any other move is refused."""


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
    """An order. Its lines keep the price and the name that they were ordered at."""

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

    def confirm(self, now: datetime) -> tuple["Order", OrderConfirmed]:
        """Its stock is reserved."""
        order = self._moved("confirm", now)
        return order, OrderConfirmed(
            order_id=self.id,
            customer_id=self.customer_id,
            lines=self.lines,
            total=self.total,
            shipping_address=self.shipping_address,
        )

    def reject(self, shortages: Sequence[Shortage], now: datetime) -> tuple["Order", OrderRejected]:
        """Its stock cannot be reserved."""
        order = replace(self._moved("reject", now), shortages=tuple(shortages))
        return order, OrderRejected(
            order_id=self.id, customer_id=self.customer_id, lines=self.lines, shortages=order.shortages
        )

    def cancel(self, reason: Reason, now: datetime) -> tuple["Order", OrderCancelled]:
        """It ends before shipping; what is reserved for it is released."""
        order = replace(self._moved("cancel", now), reason=reason)
        return order, OrderCancelled(order_id=self.id, customer_id=self.customer_id, reason=reason)

    def _moved(self, move: str, now: datetime) -> "Order":
        allowed = MOVES[self.state]
        if move not in allowed:
            raise NotPossibleNow(
                f"An order that is {self.state} cannot {move}.", state=self.state, allowed=sorted(allowed)
            )
        return replace(self, state=allowed[move], version=self.version + 1, changed_at=later(now, self.changed_at))


def place(
    order_id: UUID, customer_id: UUID, lines: Sequence[PricedLine], address: Address, now: datetime
) -> tuple[Order, OrderPlaced]:
    """A new order; raise ``MixedCurrencies`` or ``OrderTooLarge``."""
    total = _total(lines)
    order = Order(order_id, customer_id, "PENDING", tuple(lines), total, address, (), None, 1, now, now)
    return order, OrderPlaced(
        order_id=order_id, customer_id=customer_id, lines=order.lines, total=total, shipping_address=address
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


def _total(lines: Sequence[PricedLine]) -> Money:
    currencies = {line.unit_price.currency for line in lines}
    if len(currencies) > 1:
        raise MixedCurrencies(currencies=sorted(currencies))
    amount = sum(line.unit_price.amount * line.quantity for line in lines)
    if amount > MAX_MINOR_UNITS:
        raise OrderTooLarge
    return Money(amount=amount, currency=currencies.pop())
