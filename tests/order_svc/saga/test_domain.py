"""The saga's rules, one by one and in sequence."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, get_args

import pytest

from order_svc.amendments.domain import amend
from order_svc.errors import TransitionNotAllowed
from order_svc.orders.domain import Order, State
from order_svc.saga.actions import Change, give_up, request_again
from order_svc.saga.domain import (
    AMENDING,
    BOTH,
    DEADLINE,
    HALFWAY,
    IGNORED,
    NOTHING,
    ORIGINAL_REJECTED,
    PENDING,
    REJECTED,
    RESERVED,
    RULES,
    Decision,
    Rule,
    Situation,
    on_deadline,
    on_reply,
    saga_table,
    situation_of,
)
from schemas import (
    AmendmentAccepted,
    AmendmentRefused,
    Event,
    Line,
    OrderAmended,
    OrderCancelled,
    OrderConfirmed,
    OrderPlaced,
    OrderRejected,
    Shortage,
    StockRejected,
    StockReserved,
)
from tests.order_svc.factories import LATER, ORDER, amended, line, order, original_rejected

SHORTAGES = (Shortage(sku="MUG", requested=2, available=1, reason="short"),)
ENDED: list[State] = ["REJECTED", "CANCELLED", "SHIPPED", "DELIVERED"]


def reserved(revision: int = 1) -> StockReserved:
    return StockReserved(order_id=ORDER, lines=(Line(sku="MUG", quantity=2),), revision=revision)


def rejected(revision: int = 1) -> StockRejected:
    return StockRejected(order_id=ORDER, shortages=SHORTAGES, revision=revision)


def after_replies(one: Order, *replies: StockReserved | StockRejected) -> tuple[Order, Sequence[type[Event] | None]]:
    """An order after replies, and the types of the published events."""
    published: list[type[Event] | None] = []
    for reply in replies:
        for changed, event in on_reply(one, reply, LATER).changes:
            one = changed
            published.append(type(event) if event else None)
    return one, published


def on_passed_deadline(one: Order) -> Sequence[Change]:
    return on_deadline(one, one.reservation_attempts, LATER).changes


ORDERS: dict[Situation, Order] = {
    PENDING: order(),
    BOTH: amended("PENDING"),
    ORIGINAL_REJECTED: original_rejected(),
    AMENDING: amended("CONFIRMED"),
}
CASES = [(rule, situation) for rule in RULES for situation in rule.situations]


@pytest.mark.parametrize(("rule", "situation"), CASES, ids=[f"{r.trigger} {r.revision} {s}" for r, s in CASES])
def test_every_rule_does_what_it_says(rule: Rule, situation: Situation) -> None:
    one = ORDERS[situation]
    decision = decide(rule, one)
    assert decision.changes[-1][0].state == (one.state if rule.becomes == "unchanged" else rule.becomes)
    assert tuple(type(event) for _, event in decision.changes if event) == rule.publishes
    assert decision.step == rule.step


def decide(rule: Rule, one: Order) -> Decision:
    if rule.trigger in (HALFWAY, DEADLINE):
        waiting = replace(one, retried=rule.trigger == DEADLINE)
        return on_deadline(waiting, one.reservation_attempts, LATER)
    revision = one.amendment.revision if rule.revision == "amendment" and one.amendment else one.revision
    return on_reply(one, reserved(revision) if rule.trigger == RESERVED else rejected(revision), LATER)


def test_at_most_one_rule_applies() -> None:
    keys = [(rule.trigger, rule.revision, situation) for rule, situation in CASES]
    assert len(keys) == len(set(keys))


def test_every_situation_has_rules_for_every_reply_and_deadline() -> None:
    assert {situation_of(one) for one in ORDERS.values()} == set(get_args(Situation))
    covered = {(rule.trigger, situation) for rule, situation in CASES}
    assert covered == {(t, s) for t in (RESERVED, REJECTED, HALFWAY, DEADLINE) for s in get_args(Situation)}


def test_the_table_has_a_row_for_every_rule() -> None:
    heading, _, *rows, rest = saga_table().splitlines()
    assert len(rows) == len(RULES)
    assert {row.count(" | ") for row in (heading, *rows, rest)} == {6}
    assert "`AmendmentAccepted`, `OrderConfirmed`" in rows[2]


def test_a_pending_order_is_confirmed_when_its_stock_is_reserved() -> None:
    after, published = after_replies(order(), reserved())
    assert (after.state, published) == ("CONFIRMED", [OrderConfirmed])


def test_a_pending_order_is_rejected_when_its_stock_is_short() -> None:
    after, published = after_replies(order(), rejected())
    assert (after.state, after.shortages, published) == ("REJECTED", SHORTAGES, [OrderRejected])


@pytest.mark.parametrize("state", ["CONFIRMED", *ENDED])
@pytest.mark.parametrize("reply", [reserved(), rejected()], ids=["reserved", "rejected"])
def test_a_reply_about_a_decided_order_is_ignored(state: State, reply: StockReserved | StockRejected) -> None:
    assert on_reply(order(state), reply, LATER) == IGNORED


def test_an_order_becomes_its_amendment_when_all_of_that_is_reserved() -> None:
    after, published = after_replies(amended(), reserved(2))
    assert (after.state, after.revision, after.lines, after.amendment) == ("CONFIRMED", 2, (line(quantity=3),), None)
    assert (after.total.amount, published) == (3750, [AmendmentAccepted])


def test_an_order_stays_as_it_was_when_its_amendment_is_refused() -> None:
    after, published = after_replies(amended(), rejected(2))
    assert (after.state, after.revision, after.lines, after.amendment) == ("CONFIRMED", 1, (line(),), None)
    # They are the amendment's: what the order has is reserved.
    assert (after.shortages, published) == ((), [AmendmentRefused])


@pytest.mark.parametrize("revision", [1, 3])
@pytest.mark.parametrize("reply", [reserved, rejected], ids=["reserved", "rejected"])
def test_a_reply_about_another_revision_than_is_awaited_is_ignored(reply: Any, revision: int) -> None:
    assert on_reply(amended(), reply(revision), LATER) == IGNORED


@pytest.mark.parametrize("state", ENDED)
def test_a_reply_about_an_amendment_of_an_order_that_has_ended_is_ignored(state: State) -> None:
    assert after_replies(order(state), reserved(2), rejected(2)) == (order(state), [])


def test_an_order_that_is_amended_while_it_is_pending_goes_through_both_revisions() -> None:
    after, published = after_replies(amended("PENDING"), reserved(1), reserved(2))
    assert (after.state, after.revision, published) == ("CONFIRMED", 2, [OrderConfirmed, AmendmentAccepted])
    after, published = after_replies(amended("PENDING"), reserved(1), rejected(2))
    assert (after.state, after.revision, published) == ("CONFIRMED", 1, [OrderConfirmed, AmendmentRefused])


def test_an_amendment_saves_an_order_whose_first_revision_was_short() -> None:
    after, published = after_replies(amended("PENDING"), rejected(1), reserved(2))
    assert (after.state, after.revision, published) == ("CONFIRMED", 2, [None, AmendmentAccepted, OrderConfirmed])


def test_an_order_whose_revisions_are_both_short_is_rejected() -> None:
    after, published = after_replies(amended("PENDING"), rejected(1), rejected(2))
    assert (after.state, after.amendment, published) == ("REJECTED", None, [None, OrderRejected])


def test_replies_about_two_revisions_may_arrive_in_either_order() -> None:
    after, published = after_replies(amended("PENDING"), reserved(2), reserved(1))
    assert (after.state, after.revision, published) == ("CONFIRMED", 2, [AmendmentAccepted, OrderConfirmed])
    after, published = after_replies(amended("PENDING"), rejected(2), reserved(1))
    assert (after.state, after.revision, published) == ("CONFIRMED", 1, [AmendmentRefused, OrderConfirmed])
    after, published = after_replies(amended("PENDING"), rejected(2), rejected(1))
    assert (after.state, published) == ("REJECTED", [AmendmentRefused, OrderRejected])


def retried(one: Order) -> Order:
    """An order in the second half of its deadline."""
    return replace(one, retried=True)


@pytest.mark.parametrize("one", [order(), amended("PENDING")], ids=["placed", "amended"])
def test_an_order_without_a_reply_in_time_is_cancelled(one: Order) -> None:
    [(ended, event)] = on_passed_deadline(retried(one))
    assert (ended.state, ended.reason, ended.amendment) == ("CANCELLED", "timeout", None)
    assert event == OrderCancelled(order_id=ORDER, customer_id=order().customer_id, reason="timeout")


def test_an_amendment_without_a_reply_in_time_is_withdrawn() -> None:
    one = amended()
    [(ended, event)] = on_passed_deadline(retried(one))
    assert (ended.state, ended.revision, ended.amendment) == ("CONFIRMED", 1, None)
    assert one.amendment
    assert event == AmendmentRefused(
        order_id=ORDER, customer_id=one.customer_id, revision=2, shortages=(), lines=one.amendment.lines
    )


@pytest.mark.parametrize("one", [order(), amended(), amended("PENDING")], ids=["placed", "amended", "both"])
def test_stock_without_a_reply_by_half_of_the_deadline_is_requested_again_once(one: Order) -> None:
    changes = on_passed_deadline(one)
    assert [event for _, event in changes] == [event for _, event in request_again(one, LATER)]
    after, _ = changes[-1]
    assert (after.state, after.retried) == (one.state, True)
    [(_, event)] = on_passed_deadline(after)
    assert isinstance(event, OrderCancelled | AmendmentRefused)


def test_ops_request_stock_again_with_a_whole_deadline() -> None:
    assert request_again(retried(order()), LATER)[-1][0].retried is False


def test_a_new_amendment_has_a_whole_deadline() -> None:
    amendment = amend(retried(order("CONFIRMED")), [line(quantity=3)], {}, LATER)
    assert amendment is not None
    assert amendment[0].retried is False


@pytest.mark.parametrize("one", [order(), retried(order()), amended()], ids=["placed", "retried", "amended"])
def test_a_deadline_belongs_to_one_request_for_stock(one: Order) -> None:
    assert on_deadline(one, one.reservation_attempts - 1, LATER) == NOTHING


@pytest.mark.parametrize("state", ["CONFIRMED", *ENDED])
@pytest.mark.parametrize("again", [False, True])
def test_a_deadline_does_not_change_a_decided_order(state: State, again: bool) -> None:
    one = replace(order(state), retried=again)
    assert on_deadline(one, one.reservation_attempts, LATER) == NOTHING


@pytest.mark.parametrize(
    ("one", "events"),
    [
        (order(), [OrderPlaced]),
        (amended(), [OrderAmended]),
        (amended("PENDING"), [OrderPlaced, OrderAmended]),
        (original_rejected(), [OrderAmended]),
    ],
    ids=["placed", "amended", "both", "original rejected"],
)
def test_stock_without_a_reply_is_requested_again(one: Order, events: list[type[Event]]) -> None:
    changes = request_again(one, LATER)
    assert [type(event) for _, event in changes] == events
    assert [after.version for after, _ in changes] == list(range(2, 2 + len(events)))
    assert changes[-1][0].reservation_attempts == one.reservation_attempts + len(events)


def test_a_repeated_request_is_the_same_event() -> None:
    one = amended()
    [(after, event)] = request_again(one, LATER)
    assert isinstance(event, OrderAmended)
    assert (event.revision, event.replaces, event.lines) == (2, 1, (line(quantity=3),))
    assert replace(after, reservation_attempts=2, version=1, changed_at=one.changed_at) == one


def test_giving_up_does_what_the_deadline_would() -> None:
    assert give_up(order(), LATER, "staff", "why")[0].cancellation_note == "why"
    assert isinstance(give_up(amended("PENDING"), LATER, "staff")[1], OrderCancelled)
    assert isinstance(give_up(amended(), LATER, "staff")[1], AmendmentRefused)


@pytest.mark.parametrize(
    ("state", "allowed"), [("CONFIRMED", ["amend", "cancel", "ship"]), *((state, []) for state in ENDED[:2])]
)
@pytest.mark.parametrize("act", [request_again, partial(give_up, reason="staff")], ids=["retry", "give up"])
def test_an_order_that_waits_for_nothing_cannot_be_resolved(act: Any, state: State, allowed: list[str]) -> None:
    with pytest.raises(TransitionNotAllowed) as refusal:
        act(order(state), now=LATER)
    assert refusal.value.extra == {"state": state, "allowed": allowed}
