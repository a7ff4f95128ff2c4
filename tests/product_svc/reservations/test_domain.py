"""The rules of reservations, without any I/O."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from uuid_utils.compat import uuid7

from product_svc.errors import InsufficientStock
from product_svc.reservations.domain import Decision, Reservation, Stocks, release, reserve, summed
from product_svc.stock.domain import Stock
from schemas import Line, Shortage, StockRejected, StockReleased, StockReserved

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
ORDER = UUID("019b7c61-0000-7000-8000-000000000001")
SKUS = ("MUG", "CUP", "JUG")

lines = st.lists(st.builds(Line, sku=st.sampled_from(SKUS), quantity=st.integers(1, 8)), min_size=1, max_size=6)
stocks_on_hand = st.dictionaries(st.sampled_from(SKUS), st.integers(0, 12))


def stock(sku: str = "MUG", on_hand: int = 0, reserved: int = 0) -> Stock:
    return Stock(sku, on_hand, reserved, 3, NOW)


def first(order_id: UUID, wanted: Sequence[Line], stocks: Stocks, now: datetime) -> Decision:
    """The decision on an order of which nothing is known."""
    decision = reserve(order_id, None, 1, 1, wanted, stocks, now)
    assert decision is not None
    return decision


def held(*lines: Line, version: int = 1) -> Reservation:
    return Reservation(ORDER, "held", lines, version, NOW)


def test_every_line_is_reserved_if_there_is_enough() -> None:
    wanted = (Line(sku="MUG", quantity=2), Line(sku="CUP", quantity=1))
    known = {"MUG": stock(on_hand=2), "CUP": stock("CUP", on_hand=4, reserved=3)}
    reservation, stocks, event = first(ORDER, wanted, known, LATER)
    assert reservation == Reservation(ORDER, "held", wanted, 1, LATER)
    assert stocks == [stock(on_hand=2, reserved=2), stock("CUP", on_hand=4, reserved=4)]
    assert event == StockReserved(order_id=ORDER, lines=wanted)


def test_no_line_is_reserved_if_one_is_short() -> None:
    wanted = (Line(sku="MUG", quantity=2), Line(sku="CUP", quantity=5), Line(sku="JUG", quantity=1))
    known = {"MUG": stock(on_hand=2), "CUP": stock("CUP", on_hand=4, reserved=3), "JUG": None}
    reservation, stocks, event = first(ORDER, wanted, known, LATER)
    assert (reservation.state, reservation.lines, reservation.version) == ("rejected", (), 1)
    assert stocks == []
    assert event == StockRejected(
        order_id=ORDER,
        shortages=(
            Shortage(sku="CUP", requested=5, available=1, reason="short"),
            Shortage(sku="JUG", requested=1, available=0, reason="unknown"),
        ),
    )


def test_lines_of_the_same_sku_count_together() -> None:
    twice = (Line(sku="MUG", quantity=2), Line(sku="MUG", quantity=2))
    _, stocks, event = first(ORDER, twice, {"MUG": stock(on_hand=3)}, NOW)
    assert stocks == []
    assert event == StockRejected(
        order_id=ORDER, shortages=(Shortage(sku="MUG", requested=4, available=3, reason="short"),)
    )


@given(lines)
@settings(deadline=None)
def test_a_sum_has_each_sku_once_in_the_order_of_first_occurrence(wanted: list[Line]) -> None:
    totals = summed(wanted)
    assert [line.sku for line in totals] == list(dict.fromkeys(line.sku for line in wanted))
    assert {line.sku: line.quantity for line in totals} == {
        sku: sum(line.quantity for line in wanted if line.sku == sku) for sku in {line.sku for line in wanted}
    }


@given(lines, stocks_on_hand)
@settings(deadline=None)
def test_a_reservation_is_all_or_nothing(wanted: list[Line], on_hand: Mapping[str, int]) -> None:
    known: dict[str, Stock | None] = {sku: stock(sku, number) for sku, number in on_hand.items()}
    reservation, stocks, event = first(ORDER, wanted, known, NOW)
    requested = {line.sku: line.quantity for line in summed(wanted)}
    enough = all(on_hand.get(sku, 0) >= quantity for sku, quantity in requested.items())
    assert isinstance(event, StockReserved) is enough
    assert reservation.state == ("held" if enough else "rejected")
    assert {s.sku: s.reserved for s in stocks} == (requested if enough else {})
    if isinstance(event, StockRejected):
        assert {s.sku for s in event.shortages} == {sku for sku in requested if on_hand.get(sku, 0) < requested[sku]}


def test_a_release_publishes_everything_that_it_releases() -> None:
    line = Line(sku="MUG", quantity=2)
    assert release(ORDER, held(line), {"MUG": stock(on_hand=5, reserved=3)}, LATER) == (
        Reservation(ORDER, "released", (), 2, LATER),
        [stock(on_hand=5, reserved=1)],
        StockReleased(order_id=ORDER, lines=(line,)),
    )


def test_a_cancellation_before_its_order_leaves_a_tombstone() -> None:
    assert release(ORDER, None, {}, NOW) == (
        Reservation(ORDER, "released", (), 1, NOW),
        [],
        StockReleased(order_id=ORDER, lines=()),
    )


def test_a_rejected_reservation_releases_nothing_and_is_not_reserved_later() -> None:
    refused = Reservation(ORDER, "rejected", (), 1, NOW)
    assert release(ORDER, refused, {}, LATER) == (Reservation(ORDER, "released", (), 1, LATER), [], None)


def test_a_released_reservation_is_not_released_again() -> None:
    assert release(ORDER, Reservation(ORDER, "released", (), 1, NOW), {}, LATER) is None


class Shop(RuleBasedStateMachine):
    """Adjusts, reserves and releases in any order, repeats included."""

    def __init__(self) -> None:
        super().__init__()
        self.stocks: dict[str, Stock | None] = {sku: stock(sku) for sku in SKUS[:2]}
        self.reservations: dict[UUID, Reservation] = {}
        self.booked = dict.fromkeys(SKUS[:2], 0)
        self.orders: list[UUID] = [uuid7() for _ in range(4)]

    @rule(sku=st.sampled_from(SKUS[:2]), delta=st.integers(-10, 20))
    def adjust(self, sku: str, delta: int) -> None:
        before = self.stocks[sku]
        assert before is not None
        try:
            self.stocks[sku], event = before.adjust(delta, "count", NOW)
        except InsufficientStock:
            assert before.available + delta < 0
        else:
            self.booked[sku] += delta
            assert event.on_hand == self.booked[sku]

    @rule(order=st.integers(0, 3), wanted=lines)
    def reserve(self, order: int, wanted: list[Line]) -> None:
        if self.orders[order] not in self.reservations:
            self._keep(*first(self.orders[order], wanted, self.stocks, NOW)[:2])

    @rule(order=st.integers(0, 3))
    def release(self, order: int) -> None:
        order_id = self.orders[order]
        if released := release(order_id, self.reservations.get(order_id), self.stocks, NOW):
            self._keep(*released[:2])

    def _keep(self, reservation: Reservation, stocks: list[Stock]) -> None:
        self.reservations[reservation.order_id] = reservation
        self.stocks |= {changed.sku: changed for changed in stocks}

    @invariant()
    def never_is_more_reserved_than_is_on_hand(self) -> None:
        assert all(stock and stock.available >= 0 and stock.reserved >= 0 for stock in self.stocks.values())

    @invariant()
    def the_reserved_stock_is_what_the_reservations_hold(self) -> None:
        promised = dict.fromkeys(SKUS[:2], 0)
        for reservation in self.reservations.values():
            for line in reservation.lines:
                promised[line.sku] += line.quantity
        assert promised == {sku: stock.reserved for sku, stock in self.stocks.items() if stock}
        assert self.booked == {sku: stock.on_hand for sku, stock in self.stocks.items() if stock}


TestShop = Shop.TestCase
TestShop.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
