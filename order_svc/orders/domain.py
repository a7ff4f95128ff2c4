"""An order, its states and the transitions between them. Pure.

Amending is in ``amendments.domain``, shipping in ``fulfilment.domain``, what becomes of parcels in
``parcels.domain``, returning in ``returns.domain``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from chassis.persistence.unit_of_work import next_time
from order_svc.errors import QuantityExceeded, TransitionNotAllowed
from order_svc.orders.lines import plain_lines, remaining, total_of
from order_svc.orders.obstacles import AMENDED, LOST, OBSTACLES, SITUATIONS
from order_svc.orders.parts import (
    OPEN_REQUESTS,
    Amendment,
    CancelledRemainder,
    Missing,
    Return,
    ReturnRequest,
    Shipment,
)
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

State = Literal["PENDING", "CONFIRMED", "REJECTED", "CANCELLED", "SHIPPED", "DELIVERED", "UNDELIVERED"]
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
        "request_missing": "CONFIRMED",
        "ship": "SHIPPED",
    },
    "REJECTED": {},
    "CANCELLED": {},
    "SHIPPED": {
        "ship": "SHIPPED",
        "request_missing": "SHIPPED",
        "cancel_remainder": "SHIPPED",
        "correct_tracking": "SHIPPED",
        "deliver_parcel": "SHIPPED",
        "fail_parcel": "SHIPPED",
        "return_parcel": "SHIPPED",
        "deliver": "DELIVERED",
        "end_undelivered": "UNDELIVERED",
    },
    "DELIVERED": {
        "request_return": "DELIVERED",
        "approve_return": "DELIVERED",
        "decline_return": "DELIVERED",
        "return": "DELIVERED",
        "return_parcel": "DELIVERED",
    },
    "UNDELIVERED": {"return_parcel": "UNDELIVERED"},
}
"""State → transition → next state; no other transition is allowed."""

GUARDS: Mapping[str, Callable[["Order"], bool]] = {
    "amend": lambda order: order.amendment is None,
    "accept": lambda order: order.amendment is not None,
    "refuse": lambda order: order.amendment is not None,
    "request_missing": lambda order: order.amendment is None and bool(order.missing_lines),
    "ship": lambda order: order.amendment is None and bool(order.shippable),
    "cancel_remainder": lambda order: bool(order.unshipped),
    "correct_tracking": lambda order: order.in_transit,
    "deliver_parcel": lambda order: order.in_transit,
    "fail_parcel": lambda order: order.in_transit,
    "return_parcel": lambda order: any(one.status == "failed" for one in order.shipments),
    "deliver": lambda order: not order.unshipped,
    "end_undelivered": lambda order: not (order.unshipped or order.in_transit or order.arrived),
    "request_return": lambda order: bool(order.requestable),
    "approve_return": lambda order: any(one.status == "requested" for one in order.return_requests),
    "decline_return": lambda order: any(one.status in OPEN_REQUESTS for one in order.return_requests),
    "return": lambda order: bool(order.returnable),
}
"""Further conditions of a transition. Nothing ships while an amendment may still change what is to be shipped."""

HOLDING: frozenset[State] = frozenset({"PENDING", "CONFIRMED", "SHIPPED"})
"""The states in which stock is, or may be, reserved for what is not shipped yet."""

FIRST_VERSION = 1
"""The version of an order that was just placed."""
ACTIONS = (
    *("amend", "approve_return", "cancel", "cancel_remainder", "correct_tracking", "decline_return", "deliver"),
    *("deliver_parcel", "fail_parcel", "request_return", "return", "return_parcel", "ship"),
)
"""The transitions that a client can request; the others follow from these, or from events of other services."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order. Its lines keep the price and the name that they were ordered at.

    Its lines and its total are what is delivered in the end: without what was left to ship when that was cancelled.

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
    cancelled_remainder: CancelledRemainder | None = None
    returns: tuple[Return, ...] = ()
    return_requests: tuple[ReturnRequest, ...] = ()
    missing: Missing | None = None

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
        return remaining(self.lines, (line for one in self.shipments for line in one.lines))

    @property
    def missing_lines(self) -> tuple[Line, ...]:
        """What is still to be shipped and was lost in the warehouse."""
        return self.missing.lines if self.missing else ()

    @property
    def shippable(self) -> dict[str, int]:
        """SKU → quantity still to be shipped that was not lost."""
        return remaining(plain_lines(self.unshipped), self.missing_lines)

    @property
    def in_transit(self) -> bool:
        """Is a parcel on its way?"""
        return any(one.status == "in_transit" for one in self.shipments)

    @property
    def arrived(self) -> tuple[Line, ...]:
        """What was delivered, parcel by parcel."""
        return tuple(line for one in self.shipments if one.status == "delivered" for line in one.lines)

    @property
    def returnable(self) -> dict[str, int]:
        """SKU → quantity that was delivered and not returned."""
        return remaining(self.arrived, self._returned)

    @property
    def requestable(self) -> dict[str, int]:
        """SKU → quantity that was delivered, not returned, and whose return is not requested yet."""
        requested = [line for one in self.return_requests if one.status in OPEN_REQUESTS for line in one.lines]
        return remaining(self.arrived, [*self._returned, *requested])

    @property
    def _returned(self) -> list[Line]:
        return [line for one in self.returns if one.shipment_id is None for line in one.lines]

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
            billing_address=self.billing_address,
            placed_at=self.placed_at,
        )

    def reject(self, shortages: Sequence[Shortage], now: datetime) -> tuple["Order", OrderRejected]:
        """Its stock cannot be reserved."""
        order = self.transition("reject", now, shortages=tuple(shortages), amendment=None)
        return order, OrderRejected(
            order_id=self.id, customer_id=self.customer_id, lines=self.lines, shortages=order.shortages
        )

    def cancel(self, reason: Reason, now: datetime, note: str | None = None) -> tuple["Order", OrderCancelled]:
        """It ends before shipping; stock that is reserved for it is released."""
        order = self.transition("cancel", now, reason=reason, cancellation_note=note, amendment=None, missing=None)
        return order, OrderCancelled(order_id=self.id, customer_id=self.customer_id, reason=reason, note=note)

    def require(self, transition: str) -> None:
        """Raise ``TransitionNotAllowed``, which lists the allowed actions, unless a transition is allowed now."""
        if not self._allows(transition):
            raise TransitionNotAllowed(
                f"An order that is {self.state} cannot {transition} now: {self._obstacle(transition)}.",
                state=self.state,
                allowed=self.allowed_actions,
            )

    def require_left(self, quantities: Mapping[str, int], left: Mapping[str, int]) -> None:
        """Raise ``QuantityExceeded``, which says what is left, if there are more of a SKU than that."""
        if any(quantity > left.get(sku, 0) for sku, quantity in quantities.items()):
            raise QuantityExceeded(left=dict(left), state=self.state, allowed=self.allowed_actions)

    def time_of_change(self, now: datetime) -> datetime:
        """When a change that is made now happens: after all changes before it, whatever the clocks say."""
        return next_time(now, self.changed_at)

    def transition(self, name: str, now: datetime, **changes: Any) -> "Order":
        """The order after a transition, with fields changed; raise ``TransitionNotAllowed``."""
        self.require(name)
        return replace(
            self,
            state=TRANSITIONS[self.state][name],
            version=self.version + 1,
            changed_at=self.time_of_change(now),
            **changes,
        )

    def _obstacle(self, transition: str) -> str:
        if transition not in TRANSITIONS[self.state]:
            return SITUATIONS[self.state]
        if self.amendment:
            return AMENDED
        return LOST if transition == "ship" and self.unshipped else OBSTACLES[transition]

    def _allows(self, transition: str) -> bool:
        allowed = transition in TRANSITIONS[self.state]
        return allowed and (transition not in GUARDS or GUARDS[transition](self))


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
