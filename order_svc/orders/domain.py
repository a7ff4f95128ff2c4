"""An order, its states and the transitions between them. Pure.

Amending, shipping and returning are in ``amendments.domain`` and ``fulfilment.domain``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from chassis.persistence.unit_of_work import next_time
from order_svc.errors import MixedCurrencies, OrderTooLarge, TransitionNotAllowed
from order_svc.orders.parts import Amendment, Return, Shipment
from order_svc.replicas.domain import Product
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

TRANSITIONS: Mapping[State, Mapping[str, State]] = {
    "PENDING": {
        "confirm": "CONFIRMED",
        "reject": "REJECTED",
        "cancel": "CANCELLED",
        "amend": "PENDING",
        "accept": "PENDING",
        "refuse": "PENDING",
        "retry": "PENDING",
    },
    "CONFIRMED": {
        "cancel": "CANCELLED",
        "amend": "CONFIRMED",
        "accept": "CONFIRMED",
        "refuse": "CONFIRMED",
        "retry": "CONFIRMED",
        "ship": "SHIPPED",
    },
    "REJECTED": {},
    "CANCELLED": {},
    "SHIPPED": {"ship": "SHIPPED", "deliver": "DELIVERED"},
    "DELIVERED": {"return": "DELIVERED"},
}
"""State → transition → next state; no other transition is allowed."""

GUARDS: Mapping[str, Callable[["Order"], bool]] = {
    "amend": lambda order: order.amendment is None,
    "accept": lambda order: order.amendment is not None,
    "refuse": lambda order: order.amendment is not None,
    "ship": lambda order: order.amendment is None and bool(order.unshipped),
    "deliver": lambda order: not order.unshipped,
    "return": lambda order: bool(order.returnable),
}
"""Further conditions of a transition. Nothing ships while an amendment may still change what is to be shipped."""

OBSTACLES: Mapping[str, Callable[["Order"], str]] = {
    "amend": lambda _: AMENDED,
    "ship": lambda order: AMENDED if order.amendment else "everything has been shipped",
    "deliver": lambda _: "not everything has been shipped",
    "return": lambda _: "nothing is left to return",
}
"""What a guard says to people."""
AMENDED = "an amendment is waiting for its stock"
SITUATIONS: Mapping[State, str] = {
    "PENDING": "its stock is not decided yet",
    "CONFIRMED": "nothing has been shipped yet",
    "REJECTED": "it has been rejected",
    "CANCELLED": "it has been cancelled",
    "SHIPPED": "parcels are under way",
    "DELIVERED": "it has been delivered",
}
"""Why a state does not allow a transition, as people say it."""

HOLDING: frozenset[State] = frozenset({"PENDING", "CONFIRMED", "SHIPPED"})
"""The states in which stock is, or may be, reserved for what is not shipped yet."""

FIRST_VERSION = 1
"""The version of an order that was just placed."""
ACTIONS = ("amend", "cancel", "deliver", "return", "ship")
"""The transitions that a client can request; the others follow from events of other services."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order. Its lines keep the price and the name that they were ordered at.

    ``revision`` is the current one, ``last_revision`` the newest that stock was requested for.
    ``reservation_attempts`` counts the requests for stock; ``retried``: stock was requested a second time since the
    order waits for a reply, so the second half of the deadline runs.
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
    customer_notes: str | None = None
    cancellation_note: str | None = None
    revision: int = 1
    last_revision: int = 1
    reservation_attempts: int = 1
    retried: bool = False
    amendment: Amendment | None = None
    shipments: tuple[Shipment, ...] = ()
    returns: tuple[Return, ...] = ()

    @property
    def allowed_actions(self) -> list[str]:
        """What a client can request next."""
        return [action for action in ACTIONS if self._allows(action)]

    @property
    def awaits_reply(self) -> bool:
        """Is a reply about its stock still to come?"""
        return self.state == "PENDING" or self.amendment is not None

    @property
    def unshipped(self) -> dict[str, int]:
        """SKU → quantity still to be shipped."""
        return _remaining(self.lines, self.shipments)

    @property
    def returnable(self) -> dict[str, int]:
        """SKU → quantity that was shipped and not returned."""
        shipped = [line for shipment in self.shipments for line in shipment.lines]
        return _remaining(shipped, self.returns)

    def confirm(self, now: datetime) -> tuple["Order", OrderConfirmed]:
        """Its stock is reserved."""
        order = self.transition("confirm", now)
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
        order = self.transition("reject", now, shortages=tuple(shortages), amendment=None)
        return order, OrderRejected(
            order_id=self.id, customer_id=self.customer_id, lines=self.lines, shortages=order.shortages
        )

    def cancel(self, reason: Reason, now: datetime, note: str | None = None) -> tuple["Order", OrderCancelled]:
        """It ends before shipping; stock that is reserved for it is released."""
        order = self.transition("cancel", now, reason=reason, cancellation_note=note, amendment=None)
        return order, OrderCancelled(order_id=self.id, customer_id=self.customer_id, reason=reason, note=note)

    def require(self, transition: str) -> None:
        """Raise ``TransitionNotAllowed``, which lists the allowed actions, unless a transition is allowed now."""
        if not self._allows(transition):
            raise TransitionNotAllowed(
                f"An order that is {self.state} cannot {transition} now: {self._obstacle(transition)}.",
                state=self.state,
                allowed=self.allowed_actions,
            )

    def transition(self, name: str, now: datetime, **changes: Any) -> "Order":
        """The order after a transition, with fields changed; raise ``TransitionNotAllowed``."""
        self.require(name)
        return replace(
            self,
            state=TRANSITIONS[self.state][name],
            version=self.version + 1,
            changed_at=next_time(now, self.changed_at),
            **changes,
        )

    def _obstacle(self, transition: str) -> str:
        if transition in TRANSITIONS[self.state] and transition in OBSTACLES:
            return OBSTACLES[transition](self)
        return SITUATIONS.get(self.state, "its state does not allow that")

    def _allows(self, transition: str) -> bool:
        allowed = transition in TRANSITIONS[self.state]
        return allowed and (transition not in GUARDS or GUARDS[transition](self))


def held_pieces(order: Order) -> int:
    """How many pieces stock is, or may be, reserved for; while an amendment waits, the larger number of each SKU."""
    if order.state not in HOLDING:
        return 0
    if order.amendment is None and not order.shipments:
        return sum(line.quantity for line in order.lines)
    now, then = order.unshipped, quantities_of(order.amendment.lines) if order.amendment else {}
    return sum(max(now.get(sku, 0), then.get(sku, 0)) for sku in now.keys() | then.keys())


def place(
    order_id: UUID,
    customer_id: UUID,
    lines: Sequence[PricedLine],
    address: Address,
    now: datetime,
    billing_address: Address | None = None,
    customer_notes: str | None = None,
) -> tuple[Order, OrderPlaced]:
    """A new order; raise ``MixedCurrencies`` or ``OrderTooLarge``."""
    total = total_of(lines)
    order = Order(
        *(order_id, customer_id, "PENDING", tuple(lines), total, address, (), None, FIRST_VERSION, now, now),
        billing_address=billing_address,
        customer_notes=customer_notes,
    )
    return order, order_placed(order)


def order_placed(order: Order) -> OrderPlaced:
    """The event that requests the stock of an order."""
    return OrderPlaced(
        order_id=order.id,
        customer_id=order.customer_id,
        lines=order.lines,
        total=order.total,
        shipping_address=order.shipping_address,
        billing_address=order.billing_address,
        notes=order.customer_notes,
    )


def price_line(product: Product, quantity: int) -> PricedLine:
    """A line at the catalogue's price; prices never come from the client."""
    return PricedLine(sku=product.sku, quantity=quantity, name=product.name, unit_price=product.price)


def quantities_of(lines: Sequence[Line]) -> dict[str, int]:
    """SKU → quantity; lines of the same SKU are added up, in the place of the first of them."""
    totals: dict[str, int] = {}
    for line in lines:
        totals[line.sku] = totals.get(line.sku, 0) + line.quantity
    return totals


def total_of(lines: Sequence[PricedLine]) -> Money:
    """The price of all lines; raise ``MixedCurrencies`` or ``OrderTooLarge``."""
    currencies = {line.unit_price.currency for line in lines}
    if len(currencies) > 1:
        raise MixedCurrencies(currencies=sorted(currencies))
    amount = sum(line.unit_price.amount * line.quantity for line in lines)
    if amount > MAX_MINOR_UNITS:
        raise OrderTooLarge
    return Money(amount=amount, currency=currencies.pop())


def _remaining(lines: Sequence[Line], parts: Sequence[Shipment | Return]) -> dict[str, int]:
    """SKU → what remains of lines without their parts; only what is more than zero."""
    taken = quantities_of([line for part in parts for line in part.lines])
    return {sku: left for sku, n in quantities_of(lines).items() if (left := n - taken.get(sku, 0)) > 0}
