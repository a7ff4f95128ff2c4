"""The saga's table, row by row."""

import pytest

from order_svc.domain import State
from order_svc.saga import on_answer, on_deadline
from schemas import Line, OrderCancelled, OrderConfirmed, OrderRejected, Shortage, StockRejected, StockReserved
from tests.order_svc.test_domain import LATER, ORDER, order

RESERVED = StockReserved(order_id=ORDER, lines=(Line(sku="MUG", quantity=2),))
SHORTAGES = (Shortage(sku="MUG", requested=2, available=1, reason="short"),)
REJECTED = StockRejected(order_id=ORDER, shortages=SHORTAGES)


def test_a_pending_order_is_confirmed_when_its_stock_is_reserved() -> None:
    moved = on_answer(order(), RESERVED, LATER)
    assert moved is not None
    assert moved[0].state == "CONFIRMED"
    assert isinstance(moved[1], OrderConfirmed)


def test_a_pending_order_is_rejected_when_its_stock_is_short() -> None:
    moved = on_answer(order(), REJECTED, LATER)
    assert moved is not None
    assert (moved[0].state, moved[0].shortages) == ("REJECTED", SHORTAGES)
    assert isinstance(moved[1], OrderRejected)


@pytest.mark.parametrize("state", ["CONFIRMED", "REJECTED", "CANCELLED"])
@pytest.mark.parametrize("answer", [RESERVED, REJECTED], ids=["reserved", "rejected"])
def test_an_answer_moves_an_order_once(state: State, answer: StockReserved | StockRejected) -> None:
    assert on_answer(order(state), answer, LATER) is None


def test_an_order_without_an_answer_in_time_is_cancelled() -> None:
    moved = on_deadline(order(), LATER)
    assert moved is not None
    assert (moved[0].state, moved[0].reason) == ("CANCELLED", "timeout")
    assert moved[1] == OrderCancelled(order_id=ORDER, customer_id=order().customer_id, reason="timeout")


@pytest.mark.parametrize("state", ["CONFIRMED", "REJECTED", "CANCELLED"])
def test_a_deadline_leaves_an_answered_order_alone(state: State) -> None:
    assert on_deadline(order(state), LATER) is None
