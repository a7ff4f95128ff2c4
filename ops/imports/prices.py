"""Prices as people write them, in minor units of their currency (ISO 4217)."""

import re
from decimal import Decimal

from schemas.currencies import MINOR_UNITS

SPACES = str.maketrans("", "", " \u00a0\u202f'\u2019")
"""What separates groups of digits in some languages."""
PLAIN = re.compile(r"[0-9]{1,12}(\.[0-9]+)?")
GROUPED = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")


def to_minor_units(text: str, currency: str, *, comma: bool = False) -> int:
    """A price such as ``1,234.50``, or ``1.234,50`` with a decimal ``comma``; raise ``ValueError`` with the reason.

    Nothing is guessed: ``12,50`` without ``comma`` is refused, and so are more digits than the currency has.
    """
    digits = MINOR_UNITS.get(currency)
    if digits is None:
        raise ValueError(f"there is no currency {currency[:10]!r} in ISO 4217")
    given = text.strip().translate(SPACES)
    if comma:
        given = given.translate({ord(","): ".", ord("."): ","})
    if not (PLAIN.fullmatch(given) or GROUPED.fullmatch(given)):
        hint = "" if comma or not re.fullmatch(r"[0-9.]+,[0-9]{1,2}", text.strip()) else ": is it a --decimal-comma?"
        raise ValueError(f"{text[:30]!r} is no price{hint}")
    amount = Decimal(given.replace(",", "")).scaleb(digits)
    if amount != int(amount):
        raise ValueError(f"{text[:30]!r} has more decimal digits than {currency}, which has {digits}")
    return int(amount)
