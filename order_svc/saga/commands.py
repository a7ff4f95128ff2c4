"""Continues the saga of an order: on a reply about its stock, on a deadline, or by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal
from uuid import UUID

from chassis.http.errors import IdempotencyKeyReused
from chassis.jobs.domain import Action
from chassis.messaging.handlers import OnRepeat
from order_svc.errors import OrderNotFound, TransitionNotAllowed
from order_svc.orders.commands import visible_order
from order_svc.orders.domain import Order
from order_svc.saga import actions, domain
from order_svc.saga.actions import Change, SagaStep
from order_svc.saga.domain import Decision
from order_svc.timeline.domain import entry_from_elsewhere
from order_svc.unit_of_work import OrderUnitOfWork
from schemas import Envelope, StockLost, StockRejected, StockReserved

GIVEN_UP = "No reply about the stock."


@dataclass(frozen=True, slots=True)
class HandleReservationReply:
    """product_svc has reserved the stock of an order, or refused it."""

    on_repeat: ClassVar[OnRepeat] = "refuse"
    envelope: Envelope[StockReserved] | Envelope[StockRejected]

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The order."""
        uow.orders.prefetch(self.envelope.event.order_id)

    def execute(self, uow: OrderUnitOfWork) -> None:
        """Do what the saga's rules say."""
        order = _enter(uow, self.envelope)
        _apply(uow, order, domain.on_reply(order, self.envelope.event, uow.now))


@dataclass(frozen=True, slots=True)
class HandleStockLost:
    """Pieces that were reserved for an order are missing, or are reserved again: staff decide what becomes of it."""

    on_repeat: ClassVar[OnRepeat] = "refuse"
    envelope: Envelope[StockLost]

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The order."""
        uow.orders.prefetch(self.envelope.event.order_id)

    def execute(self, uow: OrderUnitOfWork) -> None:
        """Remember what is missing; no event is published about it."""
        event = self.envelope.event
        order = _enter(uow, self.envelope, lines=[line.model_dump() for line in event.lines])
        uow.orders.set(order.id, actions.lose(order, event, self.envelope.aggregate_version, self.envelope.time))


@dataclass(frozen=True, slots=True)
class HandleHalfDeadline:
    """Half of the deadline of an order has passed: request its stock again the first time, give up the second.

    ``attempt`` is the request for stock that the deadline belongs to.
    """

    order_id: UUID
    attempt: int

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The order."""
        uow.orders.prefetch(self.order_id)

    def execute(self, uow: OrderUnitOfWork) -> SagaStep | None:
        """Do what the saga's rules say; None where a reply or another request came first."""
        order = uow.orders.get(self.order_id)
        if order is None:
            return None
        return _apply(uow, order, domain.on_deadline(order, self.attempt, uow.now), by="deadline")


@dataclass(frozen=True, slots=True)
class RetrySaga:
    """Request the stock of an order once more, with a new deadline; or what it has lost."""

    errors: ClassVar = (OrderNotFound, TransitionNotAllowed)
    order_id: UUID

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The order."""
        uow.orders.prefetch(self.order_id)

    def execute(self, uow: OrderUnitOfWork) -> Order:
        """Request the stock; return the order."""
        order = visible_order(uow, self.order_id, None)
        if order.missing_lines and not order.awaits_reply:
            changes: Sequence[Change] = [actions.request_missing(order, uow.now)]
        else:
            changes = actions.request_again(order, uow.now)
        _apply(uow, order, Decision(changes, "asked_again"), by="ops")
        return changes[-1][0]


@dataclass(frozen=True, slots=True)
class CancelSaga:
    """Do now what the deadline would do: cancel the order, or withdraw its amendment."""

    errors: ClassVar = (OrderNotFound, TransitionNotAllowed)
    order_id: UUID

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The order."""
        uow.orders.prefetch(self.order_id)

    def execute(self, uow: OrderUnitOfWork) -> Order:
        """Give up; return the order."""
        order = visible_order(uow, self.order_id, None)
        change = actions.give_up(order, uow.now, "staff", GIVEN_UP)
        _apply(uow, order, Decision([change], "given_up"), by="ops")
        return change[0]


@dataclass(frozen=True, slots=True)
class ResolveSaga:
    """Retry or cancel a saga, and record that ops did it. Done once: a repeated request only returns the order."""

    errors: ClassVar = (*dict.fromkeys((*RetrySaga.errors, *CancelSaga.errors)), IdempotencyKeyReused)
    resolution: RetrySaga | CancelSaga
    action: Action

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The order, and whether it was done already."""
        self.resolution.prefetch(uow)
        uow.actions.prefetch(self.action.id)

    def execute(self, uow: OrderUnitOfWork) -> Order:
        """Resolve it, unless that is done; return the order."""
        done = uow.actions.get(self.action.id)
        if done is None:
            order = self.resolution.execute(uow)
            uow.actions.set(self.action.id, self.action)
            return order
        if done.fingerprint != self.action.fingerprint:
            raise IdempotencyKeyReused
        return visible_order(uow, self.resolution.order_id, None)


def _enter(
    uow: OrderUnitOfWork,
    envelope: Envelope[StockReserved] | Envelope[StockRejected] | Envelope[StockLost],
    **detail: Any,
) -> Order:
    """The order that an event of product_svc is about, once the event is in its timeline."""
    event = envelope.event
    order = uow.orders.get(event.order_id)
    if order is None:
        raise LookupError(f"{event.type} about order {event.order_id}, which was never stored")
    # Most orders are never amended, and their timelines do not mention revisions.
    revision = {"revision": event.revision} if event.revision > 1 else {}
    uow.timeline.add(entry_from_elsewhere(envelope, order.id, detail | revision))
    return order


def _apply(
    uow: OrderUnitOfWork, order: Order, decision: Decision, by: Literal["deadline", "ops"] | None = None
) -> SagaStep | None:
    """Enter the step of a decision in the timeline, then make its changes; return the step."""
    step = SagaStep(decision.step, by) if decision.step else None
    if step:
        uow.timeline.add(step.entry(order.id, uow.now))
    for changed, event in decision.changes:
        if event:
            uow.record(changed, event)
        else:
            uow.orders.set(changed.id, changed)
    return step
