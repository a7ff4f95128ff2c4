"""What an order may do, without any I/O."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from order_svc.domain import MOVES, Order, Product, Reason, State, place, priced, summed
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
from schemas.event import Event
from schemas.values import MAX_MINOR_UNITS

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
ORDER, CUSTOMER, PRODUCT = (UUID(f"019b7c61-0000-7000-8000-{n:012}") for n in (1, 2, 3))
ADDRESS = Address(name="Ada", street="1 St", city="London", postal_code="SW1Y", country="GB")
SHORT = Shortage(sku="MUG", requested=2, available=1, reason="short")
STATES: tuple[State, ...] = get_args(State)

Move = Callable[[Order, datetime], tuple[Order, Event]]
MOVE: dict[str, Move] = {
    "confirm": lambda order, now: order.confirm(now),
    "reject": lambda order, now: order.reject([SHORT], now),
    "cancel": lambda order, now: order.cancel("customer", now),
}


def line(sku: str = "MUG", quantity: int = 2, amount: int = 1250, currency: str = "EUR") -> PricedLine:
    return PricedLine(
        sku=sku, quantity=quantity, name=sku.title(), unit_price=Money(amount=amount, currency=currency)
    )


def order(state: State = "PENDING", version: int = 1, changed_at: datetime = NOW) -> Order:
    total = Money(amount=2500, currency="EUR")
    return Order(ORDER, CUSTOMER, state, (line(),), total, ADDRESS, (), None, version, NOW, changed_at)


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
    with pytest.raises(NotPossibleNow) as refused:
        MOVE[move](order(state), LATER)
    assert refused.value.extra == {"state": state, "allowed": sorted(MOVES[state])}


def test_the_table_names_every_state_and_only_moves_that_exist() -> None:
    assert set(MOVES) == set(STATES)
    assert {move for moves in MOVES.values() for move in moves} == set(MOVE)


def test_an_order_that_has_ended_moves_no_more() -> None:
    assert MOVES["REJECTED"] == MOVES["CANCELLED"] == {}


@given(
    moves=st.lists(st.tuples(st.sampled_from(sorted(MOVE)), st.integers(-5_000_000, 5_000_000)), max_size=6),
)
@settings(deadline=None)
def test_every_move_bumps_version_and_time_and_changes_nothing_else(moves: list[tuple[str, int]]) -> None:
    current = order()
    for move, micros in moves:
        if move not in MOVES[current.state]:
            continue
        moved, event = MOVE[move](current, NOW + timedelta(microseconds=micros))
        assert moved.state == MOVES[current.state][move]
        assert moved.version == current.version + 1
        assert moved.changed_at > current.changed_at
        assert event.key == str(ORDER)
        kept = ("id", "customer_id", "lines", "total", "shipping_address", "placed_at")
        assert [getattr(moved, name) for name in kept] == [getattr(current, name) for name in kept]
        current = moved


@given(st.lists(st.builds(Line, sku=st.sampled_from("ABC"), quantity=st.integers(1, 100)), min_size=1))
@settings(deadline=None)
def test_lines_of_the_same_sku_are_added_up(lines: list[Line]) -> None:
    totals = summed(lines)
    assert list(totals) == list(dict.fromkeys(one.sku for one in lines))
    assert totals == {sku: sum(one.quantity for one in lines if one.sku == sku) for sku in totals}
