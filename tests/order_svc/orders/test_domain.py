"""The states and transitions of an order."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from order_svc.amendments.domain import accept, amend, refuse
from order_svc.errors import (
    MixedCurrencies,
    OrderTooLarge,
    ReturnRequestNotFound,
    ShipmentNotFound,
    TransitionNotAllowed,
)
from order_svc.fulfilment.domain import cancel_remainder, ship
from order_svc.orders.domain import (
    ACTIONS,
    GUARDS,
    TRANSITIONS,
    Order,
    Reason,
    State,
    order_placed,
    place,
)
from order_svc.orders.lines import price_line, quantities_of
from order_svc.orders.obstacles import OBSTACLES, SITUATIONS
from order_svc.orders.parts import Return
from order_svc.parcels.domain import correct_tracking, deliver, deliver_parcel, fail_parcel, return_parcel
from order_svc.replicas.domain import Product
from order_svc.returns.domain import ReturnedGoods, approve_return, decline_return, request_return, take_back
from order_svc.saga.actions import request_again, request_missing
from schemas import (
    Line,
    Money,
    OrderCancelled,
    OrderConfirmed,
    OrderPlaced,
    OrderRejected,
    PricedLine,
)
from schemas.values import MAX_MINOR_UNITS
from tests.order_svc.factories import (
    ADDRESS,
    CUSTOMER,
    LATER,
    NOW,
    ORDER,
    PART,
    PRODUCT,
    SHORT,
    STATES,
    amended,
    line,
    order,
    shipped,
)

Transition = Callable[[Order, datetime], Any]
TRANSITION: dict[str, Transition] = {
    "confirm": lambda order, now: order.confirm(now),
    "reject": lambda order, now: order.reject([SHORT], now),
    "cancel": lambda order, now: order.cancel("customer", now),
    "amend": lambda order, now: amend(order, [line(quantity=order.lines[0].quantity + 1)], {}, now),
    "accept": accept,
    "refuse": lambda order, now: refuse(order, [SHORT], now),
    "retry": lambda order, now: request_again(order, now)[0],
    "request_missing": request_missing,
    "ship": lambda order, now: ship(order, PART, "DHL", "1", None, now),
    "cancel_remainder": lambda order, now: cancel_remainder(order, "customer", None, now)[0],
    "correct_tracking": lambda order, now: correct_tracking(order, PART, ORDER, "UPS", "2", now),
    "deliver_parcel": lambda order, now: deliver_parcel(order, PART, now)[0],
    "fail_parcel": lambda order, now: fail_parcel(order, PART, "lost", now)[0],
    "return_parcel": lambda order, now: return_parcel(order, PART, ORDER, {}, now),
    "end_undelivered": lambda order, now: (order.transition("end_undelivered", now), order_placed(order)),
    "deliver": deliver,
    "request_return": lambda order, now: request_return(order, PART, {"MUG": 1}, None, now),
    "approve_return": lambda order, now: approve_return(order, PART, None, now),
    "decline_return": lambda order, now: decline_return(order, PART, None, now),
    "return": lambda order, now: take_back(order, PART, ReturnedGoods({"MUG": 1}), None, now),
}
REFUSALS = (TransitionNotAllowed, ShipmentNotFound, ReturnRequestNotFound)
"""A part that an order does not have is refused as that, whatever the state of the order."""


def test_an_order_starts_pending_at_version_one_with_its_total() -> None:
    placed, event = place(ORDER, CUSTOMER, [line(), line("CUP", 1, 300)], ADDRESS, NOW)
    total = Money(amount=2800, currency="EUR")
    assert (placed.state, placed.version, placed.total) == ("PENDING", 1, total)
    assert (placed.placed_at, placed.changed_at) == (NOW, NOW)
    assert event == OrderPlaced(
        order_id=ORDER, customer_id=CUSTOMER, lines=placed.lines, total=total, shipping_address=ADDRESS
    )


def test_an_order_in_two_currencies_is_refused() -> None:
    with pytest.raises(MixedCurrencies) as refused:
        place(ORDER, CUSTOMER, [line(), line("CUP", currency="USD")], ADDRESS, NOW)
    assert refused.value.extra == {"currencies": ["EUR", "USD"]}


def test_a_total_is_accepted_up_to_the_limit() -> None:
    most, _ = place(ORDER, CUSTOMER, [line(quantity=1, amount=MAX_MINOR_UNITS)], ADDRESS, NOW)
    assert most.total.amount == MAX_MINOR_UNITS
    with pytest.raises(OrderTooLarge):
        place(
            ORDER,
            CUSTOMER,
            [line(quantity=1, amount=MAX_MINOR_UNITS), line("CUP", 1, 1)],
            ADDRESS,
            NOW,
        )


def test_a_line_has_the_price_of_the_catalogue() -> None:
    product = Product("MUG", PRODUCT, "Blue mug", Money(amount=1250, currency="EUR"), 4)
    assert price_line(product, 3) == PricedLine(
        sku="MUG", quantity=3, name="Blue mug", unit_price=Money(amount=1250, currency="EUR")
    )


def test_a_confirmation_publishes_what_the_receipt_needs() -> None:
    billed = replace(order(), billing_address=ADDRESS)
    confirmed, event = billed.confirm(LATER)
    assert (confirmed.state, confirmed.version, confirmed.changed_at) == ("CONFIRMED", 2, LATER)
    assert event == OrderConfirmed(
        order_id=ORDER,
        customer_id=CUSTOMER,
        lines=(line(),),
        total=Money(amount=2500, currency="EUR"),
        shipping_address=ADDRESS,
        billing_address=ADDRESS,
        placed_at=NOW,
    )


def test_a_rejection_stores_and_publishes_the_shortages() -> None:
    rejected, event = order().reject([SHORT], LATER)
    assert (rejected.state, rejected.version, rejected.shortages) == ("REJECTED", 2, (SHORT,))
    assert event == OrderRejected(order_id=ORDER, customer_id=CUSTOMER, lines=(line(),), shortages=(SHORT,))


@pytest.mark.parametrize("reason", get_args(Reason))
@pytest.mark.parametrize("state", ["PENDING", "CONFIRMED"])
def test_a_cancellation_stores_and_publishes_its_reason(state: State, reason: Reason) -> None:
    cancelled, event = order(state, version=3).cancel(reason, LATER)
    assert (cancelled.state, cancelled.version, cancelled.reason) == ("CANCELLED", 4, reason)
    assert event == OrderCancelled(order_id=ORDER, customer_id=CUSTOMER, reason=reason)


@pytest.mark.parametrize(
    ("state", "transition"),
    [(state, name) for state in STATES for name in TRANSITION if name not in TRANSITIONS[state]],
)
def test_a_transition_that_is_not_in_the_table_is_refused(state: State, transition: str) -> None:
    one = order(state)
    with pytest.raises(TransitionNotAllowed) as refused:
        one.require(transition)
    assert refused.value.extra["state"] == state
    assert refused.value.extra["allowed"] == one.allowed_actions
    with pytest.raises(REFUSALS):
        TRANSITION[transition](one, LATER)


def test_the_table_has_every_state_and_only_existing_transitions() -> None:
    assert set(TRANSITIONS) == set(STATES)
    assert {name for transitions in TRANSITIONS.values() for name in transitions} == set(TRANSITION)


def test_a_rejected_or_cancelled_order_has_no_transitions() -> None:
    assert TRANSITIONS["REJECTED"] == TRANSITIONS["CANCELLED"] == {}


FAILED = replace(shipped(quantity=1), shipments=(replace(shipped(quantity=1).shipments[0], status="failed"),))
REQUESTED, _ = request_return(shipped("DELIVERED"), PART, {"MUG": 1}, None, NOW)
RETURNED = replace(
    shipped("DELIVERED"), returns=(Return(PART, (line(),), Money(amount=1, currency="EUR"), None, NOW),)
)


@pytest.mark.parametrize(
    ("one", "transition"),
    [
        (amended("PENDING"), "amend"),
        *((amended(), name) for name in ("amend", "ship")),
        *((order("CONFIRMED"), name) for name in ("accept", "refuse", "retry")),
        (order("SHIPPED"), "deliver"),
        (shipped(quantity=1), "deliver"),
        (shipped(), "ship"),
        (shipped(), "cancel_remainder"),
        (shipped(), "return_parcel"),
        (shipped(), "end_undelivered"),
        *((FAILED, name) for name in ("correct_tracking", "deliver_parcel", "fail_parcel")),
        (RETURNED, "return"),
        (RETURNED, "request_return"),
        *((shipped("DELIVERED"), name) for name in ("approve_return", "decline_return")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_transition_whose_guard_does_not_hold_is_refused(one: Order, transition: str) -> None:
    with pytest.raises(REFUSALS):
        TRANSITION[transition](one, LATER)


@pytest.mark.parametrize(
    ("one", "actions"),
    [
        (order(), ["amend", "cancel"]),
        (amended("PENDING"), ["cancel"]),
        (order("CONFIRMED"), ["amend", "cancel", "ship"]),
        (amended(), ["cancel"]),
        (shipped(quantity=1), ["cancel_remainder", "correct_tracking", "deliver_parcel", "fail_parcel", "ship"]),
        (shipped(), ["correct_tracking", "deliver", "deliver_parcel", "fail_parcel"]),
        (shipped("DELIVERED"), ["request_return", "return"]),
        (REQUESTED, ["approve_return", "decline_return", "request_return", "return"]),
        (RETURNED, []),
        (order("REJECTED"), []),
        (order("CANCELLED"), []),
    ],
    ids=range(11),
)
def test_the_allowed_actions_are_the_transitions_that_a_client_can_request(one: Order, actions: list[str]) -> None:
    assert one.allowed_actions == actions


def test_guards_and_actions_name_existing_transitions() -> None:
    assert GUARDS.keys() | set(ACTIONS) <= set(TRANSITION)
    # People read why: of a condition what is missing, otherwise what the order is.
    assert GUARDS.keys() - {"amend"} == OBSTACLES.keys()
    assert set(SITUATIONS) == set(STATES)


@given(
    steps=st.lists(st.tuples(st.sampled_from(sorted(TRANSITION)), st.integers(-5_000_000, 5_000_000)), max_size=12),
)
@settings(deadline=None)
def test_every_transition_increases_version_and_time_and_keeps_the_identity(steps: list[tuple[str, int]]) -> None:
    current = order()
    for name, micros in steps:
        try:
            after, event = TRANSITION[name](current, NOW + timedelta(microseconds=micros))
        except REFUSALS:
            continue
        assert after.state == TRANSITIONS[current.state][name]
        assert after.version == current.version + 1
        assert after.changed_at > current.changed_at
        assert event.key == str(ORDER)
        kept = ("id", "customer_id", "shipping_address", "placed_at")
        assert [getattr(after, name) for name in kept] == [getattr(current, name) for name in kept]
        current = after


@given(st.lists(st.builds(Line, sku=st.sampled_from("ABC"), quantity=st.integers(1, 100)), min_size=1))
@settings(deadline=None)
def test_lines_of_the_same_sku_are_added_up(lines: list[Line]) -> None:
    totals = quantities_of(lines)
    assert list(totals) == list(dict.fromkeys(one.sku for one in lines))
    assert totals == {sku: sum(one.quantity for one in lines if one.sku == sku) for sku in totals}
