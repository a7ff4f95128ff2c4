"""The rules of stock, without any I/O."""

from datetime import UTC, datetime, timedelta

import pytest

from product_svc.errors import InsufficientStock
from product_svc.stock.domain import Stock, stock_low_events
from schemas import StockAdjusted, StockLow

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)


def stock(available: int, threshold: int | None = None, *, low: bool = False) -> Stock:
    return Stock("MUG", available + 2, 2, 3, NOW, threshold, low)


def decided(one: Stock) -> list[tuple[Stock, StockLow | None]]:
    return list(stock_low_events([one], LATER))


@pytest.mark.parametrize("available", [3, 2, 0])
def test_a_stock_that_falls_to_its_threshold_becomes_low_and_is_published(available: int) -> None:
    event = StockLow(sku="MUG", available=available, threshold=3, on_hand=available + 2, reserved=2)
    assert decided(stock(available, 3)) == [(Stock("MUG", available + 2, 2, 4, LATER, 3, True), event)]


@pytest.mark.parametrize("one", [stock(4, 3), stock(0, None), stock(3, 3, low=True), stock(0, 3, low=True)])
def test_otherwise_nothing_changes(one: Stock) -> None:
    assert decided(one) == []


@pytest.mark.parametrize("one", [stock(4, 3, low=True), stock(0, None, low=True)])
def test_a_stock_above_its_threshold_or_without_one_is_no_longer_low(one: Stock) -> None:
    [(after, event)] = decided(one)
    assert (after.low, after.version, event) == (False, 3, None)


def test_every_stock_is_decided_on_in_turn() -> None:
    changed = [stock(3, 3), stock(4, 3), stock(9, 3, low=True)]
    assert [(after.low, event is not None) for after, event in stock_low_events(changed, LATER)] == [
        (True, True),
        (False, False),
    ]


def test_an_adjustment_publishes_the_numbers_after_it() -> None:
    adjusted, event = stock(3).adjust(-3, "damage", LATER)
    assert adjusted == Stock("MUG", 2, 2, 4, LATER)
    assert event == StockAdjusted(sku="MUG", delta=-3, reason="damage", on_hand=2, reserved=2)


def test_reserved_units_cannot_be_taken_away() -> None:
    with pytest.raises(InsufficientStock) as refused:
        stock(3).adjust(-4, "damage", LATER)
    assert refused.value.extra == {"available": 3}


def test_the_time_of_an_adjustment_grows_whatever_the_clock_says() -> None:
    adjusted, _ = stock(0).adjust(1, "count", NOW - timedelta(hours=1))
    assert adjusted.changed_at == NOW + timedelta(microseconds=1)
