"""Prices with decimal marks, in minor units. Nothing is guessed."""

import pytest

from ops.imports.prices import to_minor_units


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("12.50", "EUR", 1250),
        ("12.5", "EUR", 1250),
        ("12", "EUR", 1200),
        (" 1,234.50 ", "EUR", 123450),
        ("1 234.50", "EUR", 123450),
        ("1\u202f234", "EUR", 123400),
        ("1'234.50", "CHF", 123450),
        ("12.500", "EUR", 1250),
        ("1250", "JPY", 1250),
        ("1.250", "KWD", 1250),
        ("0.1", "KWD", 100),
        ("12.50", "RSD", 1250),
    ],
)
def test_a_decimal_price_is_in_minor_units_of_its_currency(text: str, currency: str, amount: int) -> None:
    assert to_minor_units(text, currency) == amount


@pytest.mark.parametrize(("text", "amount"), [("12,50", 1250), ("1.234,50", 123450), ("1 234,5", 123450), ("7", 700)])
def test_the_comma_is_the_decimal_mark_where_it_is_said_to_be(text: str, amount: int) -> None:
    assert to_minor_units(text, "EUR", comma=True) == amount


@pytest.mark.parametrize(
    ("text", "currency", "comma", "reason"),
    [
        ("12,50", "EUR", False, "is it a --decimal-comma?"),
        ("12.50", "EUR", True, "no price"),
        ("1,23.50", "EUR", False, "no price"),
        ("", "EUR", False, "no price"),
        ("-5", "EUR", False, "no price"),
        ("€12", "EUR", False, "no price"),
        ("1e3", "EUR", False, "no price"),
        ("NaN", "EUR", False, "no price"),
        ("\u0663", "EUR", False, "no price"),
        ("12.505", "EUR", False, "more decimal digits than EUR, which has 2"),
        ("12.5", "JPY", False, "more decimal digits than JPY, which has 0"),
        ("12", "ZZZ", False, "no currency 'ZZZ'"),
        ("12", "", False, "no currency ''"),
        ("9" * 50, "EUR", False, "no price"),
    ],
)
def test_what_is_no_price_is_refused_with_the_reason(text: str, currency: str, comma: bool, reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        to_minor_units(text, currency, comma=comma)
    assert reason in str(refused.value)
