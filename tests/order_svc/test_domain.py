"""What an order may do, without any I/O."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from order_svc.amending.domain import accept, amend, refuse
from order_svc.domain import MOVES, ONLY_IF, STEPS, Order, Product, Reason, State, place, priced, summed
from order_svc.errors import MixedCurrencies, NotPossibleNow, OrderTooLarge
from order_svc.fulfilment.domain import deliver, ship, take_back
from order_svc.parts import Amendment, Return, Shipment
from order_svc.saga import ask_again
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

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
ORDER, CUSTOMER, PRODUCT = (UUID(f"019b7c61-0000-7000-8000-{n:012}") for n in (1, 2, 3))
ADDRESS = Address(name="Ada", street="1 St", city="London", postal_code="SW1Y", country="GB")
SHORT = Shortage(sku="MUG", requested=2, available=1, reason="short")
STATES: tuple[State, ...] = get_args(State)

PART = UUID("019b7c61-0000-7000-8000-000000000009")

Move = Callable[[Order, datetime], Any]
MOVE: dict[str, Move] = {
    "confirm": lambda order, now: order.confirm(now),
    "reject": lambda order, now: order.reject([SHORT], now),
    "cancel": lambda order, now: order.cancel("customer", now),
    "amend": lambda order, now: amend(order, [line(quantity=order.lines[0].quantity + 1)], {}, now),
    "accept": accept,
    "refuse": lambda order, now: refuse(order, [SHORT], now),
    "ask again": lambda order, now: ask_again(order, now)[0],
    "ship": lambda order, now: ship(order, PART, "DHL", "1", None, now),
    "deliver": deliver,
    "return": lambda order, now: take_back(order, PART, {"MUG": 1}, None, now),
}


def line(sku: str = "MUG", quantity: int = 2, amount: int = 1250, currency: str = "EUR") -> PricedLine:
    return PricedLine(
        sku=sku, quantity=quantity, name=sku.title(), unit_price=Money(amount=amount, currency=currency)
    )


def order(state: State = "PENDING", version: int = 1, changed_at: datetime = NOW) -> Order:
    total = Money(amount=2500, currency="EUR")
    return Order(ORDER, CUSTOMER, state, (line(),), total, ADDRESS, (), None, version, NOW, changed_at)


def amended(state: State = "CONFIRMED", *lines: PricedLine) -> Order:
    """An order that waits for its second revision."""
    new = lines or (line(quantity=3),)
    total = Money(amount=sum(one.unit_price.amount * one.quantity for one in new), currency="EUR")
    return replace(order(state), amendment=Amendment(2, new, total, ADDRESS, None), last_revision=2, asked=2)


def shipped(state: State = "SHIPPED", quantity: int = 2) -> Order:
    """An order of two mugs of which so many were sent."""
    sent = Shipment(PART, "DHL", "1", (Line(sku="MUG", quantity=quantity),), NOW)
    return replace(order(state), shipments=(sent,))


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


def test_a_total_up_to_the_bound_is_taken_and_no_further() -> None:
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


def test_a_line_costs_what_the_catalogue_says() -> None:
    product = Product("MUG", PRODUCT, "Blue mug", Money(amount=1250, currency="EUR"), 4)
    assert priced(product, 3) == PricedLine(
        sku="MUG", quantity=3, name="Blue mug", unit_price=Money(amount=1250, currency="EUR")
    )


def test_a_confirmation_tells_what_the_receipt_needs() -> None:
    confirmed, event = order().confirm(LATER)
    assert (confirmed.state, confirmed.version, confirmed.changed_at) == ("CONFIRMED", 2, LATER)
    assert event == OrderConfirmed(
        order_id=ORDER,
        customer_id=CUSTOMER,
        lines=(line(),),
        total=Money(amount=2500, currency="EUR"),
        shipping_address=ADDRESS,
    )


def test_a_rejection_keeps_and_tells_what_was_short() -> None:
    rejected, event = order().reject([SHORT], LATER)
    assert (rejected.state, rejected.version, rejected.shortages) == ("REJECTED", 2, (SHORT,))
    assert event == OrderRejected(order_id=ORDER, customer_id=CUSTOMER, lines=(line(),), shortages=(SHORT,))


@pytest.mark.parametrize("reason", get_args(Reason))
@pytest.mark.parametrize("state", ["PENDING", "CONFIRMED"])
def test_a_cancellation_keeps_and_tells_its_reason(state: State, reason: Reason) -> None:
    cancelled, event = order(state, version=3).cancel(reason, LATER)
    assert (cancelled.state, cancelled.version, cancelled.reason) == ("CANCELLED", 4, reason)
    assert event == OrderCancelled(order_id=ORDER, customer_id=CUSTOMER, reason=reason)


@pytest.mark.parametrize(
    ("state", "move"), [(state, move) for state in STATES for move in MOVE if move not in MOVES[state]]
)
def test_a_move_that_is_not_in_the_table_is_refused(state: State, move: str) -> None:
    one = order(state)
    with pytest.raises(NotPossibleNow) as refused:
        MOVE[move](one, LATER)
    assert refused.value.extra["state"] == state
    assert refused.value.extra["allowed"] == one.steps


def test_the_table_names_every_state_and_only_moves_that_exist() -> None:
    assert set(MOVES) == set(STATES)
    assert {move for moves in MOVES.values() for move in moves} == set(MOVE)


def test_an_order_that_has_ended_moves_no_more() -> None:
    assert MOVES["REJECTED"] == MOVES["CANCELLED"] == {}


RETURNED = replace(
    shipped("DELIVERED"), returns=(Return(PART, (line(),), Money(amount=1, currency="EUR"), None, NOW),)
)


@pytest.mark.parametrize(
    ("one", "move"),
    [
        *((amended("PENDING"), move) for move in ("amend",)),
        *((amended(), move) for move in ("amend", "ship")),
        *((order("CONFIRMED"), move) for move in ("accept", "refuse", "ask again")),
        (order("SHIPPED"), "deliver"),
        (shipped(quantity=1), "deliver"),
        (shipped(), "ship"),
        (RETURNED, "return"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_move_whose_condition_does_not_hold_is_refused(one: Order, move: str) -> None:
    with pytest.raises(NotPossibleNow):
        MOVE[move](one, LATER)


@pytest.mark.parametrize(
    ("one", "steps"),
    [
        (order(), ["amend", "cancel"]),
        (amended("PENDING"), ["cancel"]),
        (order("CONFIRMED"), ["amend", "cancel", "ship"]),
        (amended(), ["cancel"]),
        (shipped(quantity=1), ["ship"]),
        (shipped(), ["deliver"]),
        (shipped("DELIVERED"), ["return"]),
        (RETURNED, []),
        (order("REJECTED"), []),
        (order("CANCELLED"), []),
    ],
    ids=range(10),
)
def test_the_steps_are_those_that_somebody_may_ask_for_now(one: Order, steps: list[str]) -> None:
    assert one.steps == steps


def test_conditions_and_steps_are_of_moves_that_exist() -> None:
    assert ONLY_IF.keys() | set(STEPS) <= set(MOVE)


@given(
    moves=st.lists(st.tuples(st.sampled_from(sorted(MOVE)), st.integers(-5_000_000, 5_000_000)), max_size=12),
)
@settings(deadline=None)
def test_every_move_bumps_version_and_time_and_keeps_whose_it_is_and_since_when(moves: list[tuple[str, int]]) -> None:
    current = order()
    for move, micros in moves:
        try:
            moved, event = MOVE[move](current, NOW + timedelta(microseconds=micros))
        except NotPossibleNow:
            continue
        assert moved.state == MOVES[current.state][move]
        assert moved.version == current.version + 1
        assert moved.changed_at > current.changed_at
        assert event.key == str(ORDER)
        kept = ("id", "customer_id", "shipping_address", "placed_at")
        assert [getattr(moved, name) for name in kept] == [getattr(current, name) for name in kept]
        current = moved


@given(st.lists(st.builds(Line, sku=st.sampled_from("ABC"), quantity=st.integers(1, 100)), min_size=1))
@settings(deadline=None)
def test_lines_of_the_same_sku_are_added_up(lines: list[Line]) -> None:
    totals = summed(lines)
    assert list(totals) == list(dict.fromkeys(one.sku for one in lines))
    assert totals == {sku: sum(one.quantity for one in lines if one.sku == sku) for sku in totals}
