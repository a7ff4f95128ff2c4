"""The saga's table, row by row."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from order_svc.amending.domain import amend, left_alone
from order_svc.domain import Order, State
from order_svc.errors import NotPossibleNow
from order_svc.saga import ask_again, give_up, on_answer, on_half_time
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
from tests.order_svc.test_domain import LATER, ORDER, amended, line, order

SHORTAGES = (Shortage(sku="MUG", requested=2, available=1, reason="short"),)
ENDED: list[State] = ["REJECTED", "CANCELLED", "SHIPPED", "DELIVERED"]


def reserved(revision: int = 1) -> StockReserved:
    return StockReserved(order_id=ORDER, lines=(Line(sku="MUG", quantity=2),), revision=revision)


def rejected(revision: int = 1) -> StockRejected:
    return StockRejected(order_id=ORDER, shortages=SHORTAGES, revision=revision)


def moved(one: Order, *answers: StockReserved | StockRejected) -> tuple[Order, Sequence[type[Event] | None]]:
    """An order after answers, and what is told."""
    told: list[type[Event] | None] = []
    for answer in answers:
        for after, event in on_answer(one, answer, LATER):
            one = after
            told.append(type(event) if event else None)
    return one, told


def test_a_pending_order_is_confirmed_when_its_stock_is_reserved() -> None:
    after, told = moved(order(), reserved())
    assert (after.state, told) == ("CONFIRMED", [OrderConfirmed])


def test_a_pending_order_is_rejected_when_its_stock_is_short() -> None:
    after, told = moved(order(), rejected())
    assert (after.state, after.shortages, told) == ("REJECTED", SHORTAGES, [OrderRejected])


@pytest.mark.parametrize("state", ["CONFIRMED", *ENDED])
@pytest.mark.parametrize("answer", [reserved(), rejected()], ids=["reserved", "rejected"])
def test_an_answer_moves_an_order_once(state: State, answer: StockReserved | StockRejected) -> None:
    assert moved(order(state), answer) == (order(state), [])


def test_an_order_becomes_its_amendment_when_all_of_that_is_reserved() -> None:
    after, told = moved(amended(), reserved(2))
    assert (after.state, after.revision, after.lines, after.amendment) == ("CONFIRMED", 2, (line(quantity=3),), None)
    assert (after.total.amount, told) == (3750, [AmendmentAccepted])


def test_an_order_stays_what_it_was_when_its_amendment_is_refused() -> None:
    after, told = moved(amended(), rejected(2))
    assert (after.state, after.revision, after.lines, after.amendment) == ("CONFIRMED", 1, (line(),), None)
    assert (after.shortages, told) == (SHORTAGES, [AmendmentRefused])


@pytest.mark.parametrize("revision", [1, 3])
@pytest.mark.parametrize("answer", [reserved, rejected], ids=["reserved", "rejected"])
def test_an_answer_about_another_revision_than_is_waited_for_changes_nothing(answer: object, revision: int) -> None:
    assert callable(answer)
    assert moved(amended(), answer(revision)) == (amended(), [])


@pytest.mark.parametrize("state", ENDED)
def test_an_answer_about_an_amendment_of_an_order_that_has_ended_changes_nothing(state: State) -> None:
    assert moved(order(state), reserved(2), rejected(2)) == (order(state), [])


def test_an_order_that_is_amended_while_it_is_pending_goes_through_both_revisions() -> None:
    after, told = moved(amended("PENDING"), reserved(1), reserved(2))
    assert (after.state, after.revision, told) == ("CONFIRMED", 2, [OrderConfirmed, AmendmentAccepted])
    after, told = moved(amended("PENDING"), reserved(1), rejected(2))
    assert (after.state, after.revision, told) == ("CONFIRMED", 1, [OrderConfirmed, AmendmentRefused])


def test_an_amendment_saves_an_order_whose_first_revision_was_short() -> None:
    after, told = moved(amended("PENDING"), rejected(1), reserved(2))
    assert (after.state, after.revision, told) == ("CONFIRMED", 2, [None, AmendmentAccepted, OrderConfirmed])


def test_an_order_whose_revisions_are_both_short_is_rejected() -> None:
    after, told = moved(amended("PENDING"), rejected(1), rejected(2))
    assert (after.state, after.amendment, told) == ("REJECTED", None, [None, OrderRejected])


def test_answers_of_two_revisions_may_come_in_the_other_order() -> None:
    after, told = moved(amended("PENDING"), reserved(2), reserved(1))
    assert (after.state, after.revision, told) == ("CONFIRMED", 2, [AmendmentAccepted, OrderConfirmed])
    after, told = moved(amended("PENDING"), rejected(2), reserved(1))
    assert (after.state, after.revision, told) == ("CONFIRMED", 1, [AmendmentRefused, OrderConfirmed])
    after, told = moved(amended("PENDING"), rejected(2), rejected(1))
    assert (after.state, told) == ("REJECTED", [AmendmentRefused, OrderRejected])


def reminded(one: Order) -> Order:
    """An order that waits in the last half of its deadline."""
    return replace(one, reminded=True)


@pytest.mark.parametrize("one", [order(), amended("PENDING")], ids=["placed", "amended"])
def test_an_order_without_an_answer_in_time_is_cancelled(one: Order) -> None:
    [(ended, event)] = on_half_time(reminded(one), one.asked, LATER)
    assert (ended.state, ended.reason, ended.amendment) == ("CANCELLED", "timeout", None)
    assert event == OrderCancelled(order_id=ORDER, customer_id=order().customer_id, reason="timeout")


def test_an_amendment_without_an_answer_in_time_is_withdrawn() -> None:
    one = amended()
    [(ended, event)] = on_half_time(reminded(one), one.asked, LATER)
    assert (ended.state, ended.revision, ended.amendment) == ("CONFIRMED", 1, None)
    assert event == AmendmentRefused(order_id=ORDER, customer_id=order().customer_id, revision=2, shortages=())


@pytest.mark.parametrize("one", [order(), amended(), amended("PENDING")], ids=["placed", "amended", "both"])
def test_what_is_not_answered_by_half_of_the_deadline_is_asked_for_again_once(one: Order) -> None:
    moves = on_half_time(one, one.asked, LATER)
    assert [event for _, event in moves] == [event for _, event in ask_again(one, LATER)]
    after, _ = moves[-1]
    assert (after.state, after.reminded) == (one.state, True)
    [(_, event)] = on_half_time(after, after.asked, LATER)
    assert isinstance(event, OrderCancelled | AmendmentRefused)


def test_whoever_runs_the_shop_asks_again_with_a_whole_deadline() -> None:
    assert ask_again(reminded(order()), LATER)[-1][0].reminded is False


def test_another_amendment_has_a_whole_deadline() -> None:
    wanted = amend(reminded(order("CONFIRMED")), [line(quantity=3)], {}, LATER)
    assert wanted is not None
    assert wanted[0].reminded is False


@pytest.mark.parametrize("one", [order(), reminded(order()), amended()], ids=["placed", "reminded", "amended"])
def test_a_deadline_is_that_of_its_own_asking(one: Order) -> None:
    assert on_half_time(one, one.asked - 1, LATER) == ()


@pytest.mark.parametrize("state", ["CONFIRMED", *ENDED])
@pytest.mark.parametrize("again", [False, True])
def test_a_deadline_leaves_an_answered_order_alone(state: State, again: bool) -> None:
    one = replace(order(state), reminded=again)
    assert on_half_time(one, one.asked, LATER) == ()


@pytest.mark.parametrize(
    ("one", "events"),
    [
        (order(), [OrderPlaced]),
        (amended(), [OrderAmended]),
        (amended("PENDING"), [OrderPlaced, OrderAmended]),
        (left_alone(amended("PENDING")), [OrderAmended]),
    ],
    ids=["placed", "amended", "both", "alone"],
)
def test_what_is_not_answered_is_asked_for_again(one: Order, events: list[type[Event]]) -> None:
    moves = ask_again(one, LATER)
    assert [type(event) for _, event in moves] == events
    assert [after.version for after, _ in moves] == list(range(2, 2 + len(events)))
    assert moves[-1][0].asked == one.asked + len(events)


def test_what_asks_again_says_what_was_said_before() -> None:
    one = amended()
    [(after, event)] = ask_again(one, LATER)
    assert isinstance(event, OrderAmended)
    assert (event.revision, event.replaces, event.lines) == (2, 1, (line(quantity=3),))
    assert replace(after, asked=2, version=1, changed_at=one.changed_at) == one


def test_giving_up_does_what_the_deadline_would() -> None:
    assert give_up(order(), LATER, "staff", "why")[0].note == "why"
    assert isinstance(give_up(amended("PENDING"), LATER, "staff")[1], OrderCancelled)
    assert isinstance(give_up(amended(), LATER, "staff")[1], AmendmentRefused)


@pytest.mark.parametrize(
    ("state", "allowed"), [("CONFIRMED", ["amend", "cancel", "ship"]), *((state, []) for state in ENDED[:2])]
)
@pytest.mark.parametrize("act", [ask_again, partial(give_up, reason="staff")], ids=["ask again", "give up"])
def test_where_nothing_is_waited_for_nothing_is_to_be_resolved(act: Any, state: State, allowed: list[str]) -> None:
    with pytest.raises(NotPossibleNow) as refusal:
        act(order(state), now=LATER)
    assert refusal.value.extra == {"state": state, "allowed": allowed}
