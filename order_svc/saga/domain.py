"""The order saga: what follows from a reply about an order's stock, or from its absence. Pure.

``RULES`` is the saga as data: (trigger, revision, situation) → action. ``saga_table`` prints it for the docs.

A reply can be late but never early: stock is requested by an event of an order that is already stored. The state of
the order is the state of the saga, so nothing is stored beside it. A reply names the revision that it is about; one
about a revision that the order neither has nor waits for changes nothing.

Half of the deadline counts from the request for stock; then stock is requested again (``Order.retried``), and the
other half counts from there. Ops can request it again, with a whole deadline, or give up at any time.

Pattern: H. Garcia-Molina, K. Salem, *Sagas*, SIGMOD 1987. The compensation of an order is its cancellation, that of
an amendment its refusal.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from order_svc.orders.domain import Order, State
from order_svc.saga.actions import (
    Change,
    StepName,
    accept_amendment,
    accept_and_confirm,
    cancel,
    confirm,
    leave_to_amendment,
    refuse_amendment,
    reject,
    request_once_more,
    withdraw_amendment,
)
from schemas import (
    AmendmentAccepted,
    AmendmentRefused,
    Event,
    OrderAmended,
    OrderCancelled,
    OrderConfirmed,
    OrderPlaced,
    OrderRejected,
    StockRejected,
    StockReserved,
)

Reply = StockReserved | StockRejected

Trigger = Literal["StockReserved", "StockRejected", "no reply by half of the deadline", "no reply by the deadline"]
RESERVED: Trigger = "StockReserved"
REJECTED: Trigger = "StockRejected"
HALFWAY: Trigger = "no reply by half of the deadline"
DEADLINE: Trigger = "no reply by the deadline"

Revision = Literal["current", "amendment", "any"]
"""What a reply is about: the revision that the order has, or the amendment that waits."""

Situation = Literal[
    "PENDING", "PENDING + amendment", "PENDING + amendment, original rejected", "CONFIRMED + amendment"
]
"""What an order waits for; an order in any other situation waits for nothing."""
PENDING: Situation = "PENDING"
BOTH: Situation = "PENDING + amendment"
ORIGINAL_REJECTED: Situation = "PENDING + amendment, original rejected"
AMENDING: Situation = "CONFIRMED + amendment"

Action = Callable[[Order, Any, datetime], Sequence[Change]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the saga: when it applies, what is done, and what that leads to."""

    trigger: Trigger
    revision: Revision
    situations: tuple[Situation, ...]
    action: Action
    becomes: State | Literal["unchanged"]
    publishes: tuple[type[Event], ...]
    step: StepName | None = None
    """The entry in the timeline, beside those about the trigger and the published events."""

    @property
    def description(self) -> str:
        """What the action does, in a sentence."""
        return (self.action.__doc__ or "").splitlines()[0]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the saga does: the changes of the order, in order, and the step for the timeline."""

    changes: Sequence[Change]
    step: StepName | None = None


ALL_PENDING = (PENDING, BOTH, ORIGINAL_REJECTED)
PENDING_AMENDED = (BOTH, ORIGINAL_REJECTED)
ONLY_AMENDMENT = (ORIGINAL_REJECTED, AMENDING)
AGAIN: StepName = "asked_again"
GIVEN_UP: StepName = "given_up"

# fmt: off
RULES: tuple[Rule, ...] = (
    #    trigger   about        the order is          action              it becomes   published, step
    Rule(RESERVED, "current",   ALL_PENDING,          confirm,            "CONFIRMED", (OrderConfirmed,)),
    Rule(RESERVED, "amendment", (AMENDING,),          accept_amendment,   "CONFIRMED", (AmendmentAccepted,)),
    Rule(RESERVED, "amendment", PENDING_AMENDED,      accept_and_confirm, "CONFIRMED",
         (AmendmentAccepted, OrderConfirmed)),
    Rule(REJECTED, "current",   (PENDING,),           reject,             "REJECTED",  (OrderRejected,)),
    Rule(REJECTED, "current",   PENDING_AMENDED,      leave_to_amendment, "unchanged", (), "left_to_amendment"),
    Rule(REJECTED, "amendment", (BOTH, AMENDING),     refuse_amendment,   "unchanged", (AmendmentRefused,)),
    Rule(REJECTED, "amendment", (ORIGINAL_REJECTED,), reject,             "REJECTED",  (OrderRejected,)),
    Rule(HALFWAY,  "any",       (PENDING,),           request_once_more,  "unchanged", (OrderPlaced,), AGAIN),
    Rule(HALFWAY,  "any",       (BOTH,),              request_once_more,  "unchanged",
         (OrderPlaced, OrderAmended), AGAIN),
    Rule(HALFWAY,  "any",       ONLY_AMENDMENT,       request_once_more,  "unchanged", (OrderAmended,), AGAIN),
    Rule(DEADLINE, "any",       ALL_PENDING,          cancel,             "CANCELLED", (OrderCancelled,), GIVEN_UP),
    Rule(DEADLINE, "any",       (AMENDING,),          withdraw_amendment, "unchanged", (AmendmentRefused,), GIVEN_UP),
)
# fmt: on
"""The saga. A reply that no rule is about is ignored (``answer_ignored``)."""

_RULES: Mapping[tuple[Trigger, Revision | None, Situation | None], Rule] = {
    (rule.trigger, rule.revision, where): rule for rule in RULES for where in rule.situations
}

NOTHING = Decision(())
IGNORED = Decision((), "answer_ignored")


def on_reply(order: Order, reply: Reply, now: datetime) -> Decision:
    """What a reply about stock leads to."""
    trigger = RESERVED if isinstance(reply, StockReserved) else REJECTED
    rule = _RULES.get((trigger, revision_of(order, reply), situation_of(order)))
    return Decision(rule.action(order, reply, now), rule.step) if rule else IGNORED


def on_deadline(order: Order, attempt: int, now: datetime) -> Decision:
    """What follows when half of a deadline has passed without a reply.

    ``attempt`` is the request that the deadline belongs to (``Order.reservation_attempts``). Where stock was
    requested again since then, or a reply has arrived, nothing happens.
    """
    trigger = DEADLINE if order.retried else HALFWAY
    rule = _RULES.get((trigger, "any", situation_of(order)))
    if rule is None or order.reservation_attempts != attempt:
        return NOTHING
    return Decision(rule.action(order, None, now), rule.step)


def situation_of(order: Order) -> Situation | None:
    """What an order waits for; None for nothing."""
    if order.amendment is None:
        return PENDING if order.state == "PENDING" else None
    if order.state != "PENDING":
        return AMENDING
    return ORIGINAL_REJECTED if order.amendment.original_rejected else BOTH


def revision_of(order: Order, reply: Reply) -> Revision | None:
    """Which of the order's revisions a reply is about; None for another."""
    if order.amendment and reply.revision == order.amendment.revision:
        return "amendment"
    return "current" if reply.revision == order.revision else None


def saga_table() -> str:
    """The rules as a Markdown table, for the documentation."""
    return "\n".join(f"| {' | '.join(row)} |" for row in _table())


def _table() -> Iterator[Sequence[str]]:
    yield ("Trigger", "About", "The order is", "Action", "It becomes", "Published", "Timeline")
    yield ("---",) * 7
    for rule in RULES:
        events = ", ".join(f"`{event.__name__}`" for event in rule.publishes)
        step = f"`saga.{rule.step}`" if rule.step else "–"
        situations = "PENDING, amended or not" if rule.situations == ALL_PENDING else "; ".join(rule.situations)
        yield (rule.trigger, rule.revision, situations, rule.description, rule.becomes, events or "–", step)
    yield (
        "any other reply",
        "any",
        "in any situation",
        "Ignore the reply.",
        "unchanged",
        "–",
        f"`saga.{IGNORED.step}`",
    )
