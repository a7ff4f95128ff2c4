"""The table of ISO 4217."""

import pytest

from schemas.currencies import MINOR_UNITS, minor_unit_digits


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("EUR", 2), ("RSD", 2), ("HUF", 2), ("JPY", 0), ("CLP", 0), ("IQD", 3), ("KWD", 3), ("UYW", 4)],
)
def test_a_currency_has_the_digits_of_its_minor_unit(currency: str, digits: int) -> None:
    assert MINOR_UNITS[currency] == minor_unit_digits(currency) == digits


@pytest.mark.parametrize("code", ["ZZZ", "XXX", "XTS", "XAU", "HRK", "eur", ""])
def test_there_are_no_invented_codes_metals_and_former_currencies(code: str) -> None:
    assert code not in MINOR_UNITS
    assert minor_unit_digits(code) == 2


def test_every_code_is_in_one_place() -> None:
    assert len(MINOR_UNITS) == 165
    assert all(len(code) == 3 and code.isupper() and code.isascii() for code in MINOR_UNITS)
