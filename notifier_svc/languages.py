"""The languages that mails are written in, and how each locale writes amounts, dates and countries."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, get_args

from babel import Locale, localedata
from babel.dates import format_date, format_time
from babel.numbers import format_currency, get_currency_precision

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True, slots=True)
class Manner:
    """How to write to somebody: the words, and the ``locale`` (Babel's name of it) of figures and dates."""

    language: Language
    locale: str


@lru_cache(1024)
def manner(wish: str | None) -> Manner:
    """How to write to whoever wishes for this locale (``de``, ``de-AT``); where it is none of ours, in English.

    ``de-AT`` is German, with amounts and dates as in Austria.
    """
    spoken, _, country = (wish or "").partition("-")
    for language in LANGUAGES:
        if spoken == language:
            regional = f"{language}_{country}"
            return Manner(language, regional if country and localedata.exists(regional) else language)
    return Manner("en", "en")


def money(value: dict[str, Any], locale: str) -> str:
    """An amount in minor units as people write it: 1250 EUR is €12.50, or 12,50 €."""
    return _money(value["amount"], value["currency"], locale)


@lru_cache(4096)
def _money(amount: int, currency: str, locale: str) -> str:
    # Shops have few prices, and Babel takes as long for one as Jinja for a page.
    whole = Decimal(amount).scaleb(-get_currency_precision(currency))
    return format_currency(whole, currency, locale=locale)


def times(value: dict[str, Any], quantity: int) -> dict[str, Any]:
    """The price of so many."""
    return {**value, "amount": value["amount"] * quantity}


def moment(value: datetime, locale: str) -> str:
    """A moment as people write it, with its time zone: mails are read anywhere."""
    written = f"{format_date(value, 'long', locale)}, {format_time(value, 'short', locale=locale)} UTC"
    # The narrow space before PM is a box in mail programs whose font lacks it.
    return written.replace("\u202f", "\u00a0")


@lru_cache(4096)
def country(code: str, locale: str) -> str:
    """The name of a country; its code, where it has no name."""
    return str(Locale.parse(locale).territories.get(code, code))
