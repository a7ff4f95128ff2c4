"""What the saga can do with an order, and how its timeline shows it. Pure.

An action takes the order, the reply (None for a deadline) and the time, and returns the changes of the order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from order_svc.amendments.domain import accept, order_amended, refuse, reject_original
from order_svc.errors import TransitionNotAllowed
from order_svc.orders.domain import HOLDING, Order, Reason, order_placed
from order_svc.orders.lines import plain_lines, quantities_of
from order_svc.orders.parts import Missing
from order_svc.timeline.domain import TimelineEntry
from schemas import Event, MissingRequested, StockLost, StockRejected

Change = tuple[Order, Event | None]
"""An order after a change, and the event to publish; None where no other service is concerned."""
StepName = Literal["asked_again", "given_up", "left_to_amendment", "answer_ignored"]


@dataclass(frozen=True, slots=True)
class SagaStep:
    """What the saga did, as the timeline shows it; no event is published about it.

    ``asked_again``: stock was requested again. ``given_up``: no reply came in time. ``left_to_amendment``: stock for
    the original revision was refused, and the amendment that waits decides. ``answer_ignored``: nothing waited for
    the reply.
    """

    name: StepName
    by: Literal["deadline", "ops"] | None = None
    """Who caused it, where that can be either."""

    @property
    def type(self) -> str:
        """The type of its entry."""
        return f"saga.{self.name}"

    def entry(self, order_id: UUID, at: datetime) -> TimelineEntry:
        """Its entry in the timeline of an order."""
        return TimelineEntry(order_id, at, self.type, {"by": self.by} if self.by else {})


def confirm(order: Order, _reply: object, now: datetime) -> Sequence[Change]:
    """Confirm the order."""
    return [order.confirm(now)]


def reject(order: Order, reply: StockRejected, now: datetime) -> Sequence[Change]:
    """Reject the order."""
    return [order.reject(reply.shortages, now)]


def accept_amendment(order: Order, _reply: object, now: datetime) -> Sequence[Change]:
    """Make the order its amendment."""
    return [accept(order, now)]


def accept_and_confirm(order: Order, _reply: object, now: datetime) -> Sequence[Change]:
    """Make the order its amendment, and confirm it."""
    accepted = accept(order, now)
    return [accepted, accepted[0].confirm(now)]


def refuse_amendment(order: Order, reply: StockRejected, now: datetime) -> Sequence[Change]:
    """Keep the order as it is."""
    return [refuse(order, reply.shortages, now)]


def leave_to_amendment(order: Order, _reply: object, _now: datetime) -> Sequence[Change]:
    """Let the reply about the amendment decide for both revisions."""
    return [(reject_original(order), None)]


def request_once_more(order: Order, _reply: None, now: datetime) -> Sequence[Change]:
    """Request stock again."""
    return request_again(order, now, retried=True)


def cancel(order: Order, _reply: None, now: datetime) -> Sequence[Change]:
    """Cancel the order, with the reason `timeout`."""
    return [order.cancel("timeout", now)]


def withdraw_amendment(order: Order, _reply: None, now: datetime) -> Sequence[Change]:
    """Withdraw the amendment."""
    return [refuse(order, (), now)]


def request_again(order: Order, now: datetime, *, retried: bool = False) -> Sequence[Change]:
    """Request stock again for everything without a reply; raise ``TransitionNotAllowed`` where nothing is awaited.

    With a new deadline, of which only the second half runs where ``retried``.
    """
    _require_awaiting(order)
    amendment = order.amendment
    changes: list[Change] = []
    if order.state == "PENDING" and not (amendment and amendment.original_rejected):
        order = _retry(order, now, retried=retried)
        changes.append((order, order_placed(order)))
    if amendment:
        order = _retry(order, now, retried=retried)
        changes.append((order, order_amended(order, amendment)))
    return changes


def request_missing(order: Order, now: datetime) -> Change:
    """Request what was lost in the warehouse once more; raise ``TransitionNotAllowed`` where nothing was."""
    after = order.transition("request_missing", now)
    return after, MissingRequested(order_id=order.id, customer_id=order.customer_id, revision=order.revision)


def lose(order: Order, event: StockLost, version: int, at: datetime) -> Order:
    """The order once it is known what of a revision is missing; the same where that does not matter any more.

    That is so after the order has ended, for a revision that it neither has nor waits for, and where a later
    ``version`` of the reservation is known. What the order has shipped meanwhile is not missing.
    """
    amendment = order.amendment
    if order.state not in HOLDING:
        return order
    if amendment and event.revision == amendment.revision:
        missing = _newer(amendment.missing, event, version, at, quantities_of(amendment.lines))
        return replace(order, amendment=replace(amendment, missing=missing))
    if event.revision == order.revision:
        return replace(order, missing=_newer(order.missing, event, version, at, order.unshipped))
    return order


def _newer(
    known: Missing | None, event: StockLost, version: int, at: datetime, wanted: Mapping[str, int]
) -> Missing | None:
    if known and known.version >= version:
        return known
    lost = {line.sku: min(line.quantity, wanted.get(line.sku, 0)) for line in event.lines}
    lines = plain_lines({sku: number for sku, number in lost.items() if number})
    return Missing(lines, version, known.at if known and known.lines else at)


def give_up(order: Order, now: datetime, reason: Reason, note: str | None = None) -> Change:
    """Stop waiting: cancel the order, or withdraw its amendment; raise ``TransitionNotAllowed``."""
    _require_awaiting(order)
    return order.cancel(reason, now, note) if order.state == "PENDING" else refuse(order, (), now)


def _retry(order: Order, now: datetime, *, retried: bool) -> Order:
    attempts = order.reservation_attempts + 1
    return order.transition("retry", now, reservation_attempts=attempts, retried=retried)


def _require_awaiting(order: Order) -> None:
    if not order.awaits_reply:
        raise TransitionNotAllowed(
            "No reply about stock is awaited.", state=order.state, allowed=order.allowed_actions
        )
