"""The values in events, and what they refuse."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas import Address, Line, Money
from schemas.values import MAX_MINOR_UNITS, Currency, Sku, Text

TEXT, SKU, CURRENCY = TypeAdapter(Text), TypeAdapter(Sku), TypeAdapter(Currency)


def refuses(kind: TypeAdapter[str], value: object) -> None:
    with pytest.raises(ValidationError):
        kind.validate_python(value)


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0xD800, 0xDFFF], ids=hex)
def test_text_refuses_controls_line_breaks_and_lone_surrogates(code: int) -> None:
    for text in ("{}", "a{}", "{}a", "a\u00e9{}b"):
        refuses(TEXT, text.format(chr(code)))


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])))
@settings(deadline=None)
def test_text_accepts_anything_else(text: str) -> None:
    assert TEXT.validate_python(text) == text


@pytest.mark.parametrize("sku", ["A", "7", "MUG-1", "a.b_c-D", "x" * 64])
def test_a_sku_of_letters_digits_dots_dashes_and_underscores_is_accepted(sku: str) -> None:
    assert SKU.validate_python(sku) == sku


@pytest.mark.parametrize("sku", ["", "x" * 65, "-a", ".a", "a b", "a/b", "a\n", "\na", "ä", "a\x00", "١", 7, None])
def test_any_other_sku_is_refused(sku: object) -> None:
    refuses(SKU, sku)


@pytest.mark.parametrize("code", ["", "eur", "EURO", "EU", "EU1", "EUR\n", "ÄÖÜ", None])
def test_a_currency_is_three_capitals(code: object) -> None:
    refuses(CURRENCY, code)


@pytest.mark.parametrize("amount", [-1, MAX_MINOR_UNITS + 1, True, 1.0, "1", None, float("inf")])
def test_money_is_a_bounded_whole_number(amount: object) -> None:
    with pytest.raises(ValidationError):
        Money(amount=amount, currency="EUR")  # type: ignore[arg-type]


@given(st.integers(0, 10**6), st.integers(1, 10**6))
@settings(deadline=None)
def test_money_times_a_quantity(amount: int, quantity: int) -> None:
    assert Money(amount=amount, currency="EUR").times(quantity) == Money(amount=amount * quantity, currency="EUR")


@pytest.mark.parametrize("quantity", [0, -1, False, 1.5, "1", None])
def test_a_line_has_at_least_one_piece(quantity: object) -> None:
    with pytest.raises(ValidationError):
        Line(sku="MUG", quantity=quantity)  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["name", "street", "city", "postal_code", "country"])
@pytest.mark.parametrize("wrong", ["", "a\nb", "x" * 201, 5, None])
def test_an_address_needs_every_field_in_one_line(field: str, wrong: object) -> None:
    good = {"name": "Ada", "street": "1 St", "city": "London", "postal_code": "SW1Y", "country": "GB"}
    with pytest.raises(ValidationError):
        Address.model_validate({**good, field: wrong})


def test_values_are_equal_by_content_and_immutable() -> None:
    money = Money(amount=1, currency="EUR")
    assert money == Money(amount=1, currency="EUR")
    assert hash(money) == hash(Money(amount=1, currency="EUR"))
    with pytest.raises(ValidationError):
        money.amount = 2  # type: ignore[misc]
