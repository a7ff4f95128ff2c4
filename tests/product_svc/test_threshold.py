"""When a stock is low, without any I/O."""

from datetime import UTC, datetime, timedelta

import pytest

from product_svc.domain import Stock
from product_svc.threshold import crossed
from schemas import StockLow

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)


def stock(available: int, low_at: int | None, *, low: bool = False) -> Stock:
    return Stock("MUG", available + 2, 2, 3, NOW, low_at, low)


@pytest.mark.parametrize("available", [3, 2, 0])
def test_a_stock_that_falls_to_its_threshold_is_low_and_told(available: int) -> None:
    told = StockLow(sku="MUG", available=available, threshold=3, on_hand=available + 2, reserved=2)
    assert crossed(stock(available, 3), LATER) == (Stock("MUG", available + 2, 2, 4, LATER, 3, True), told)


@pytest.mark.parametrize("one", [stock(4, 3), stock(0, None), stock(3, 3, low=True), stock(0, 3, low=True)])
def test_otherwise_nothing_is_told(one: Stock) -> None:
    assert crossed(one, LATER) is None


@pytest.mark.parametrize("one", [stock(4, 3, low=True), stock(0, None, low=True)])
def test_a_stock_above_its_threshold_or_without_one_is_low_no_longer(one: Stock) -> None:
    turned = crossed(one, LATER)
    assert turned is not None
    assert (turned[0].low, turned[0].version, turned[1]) == (False, 3, None)
