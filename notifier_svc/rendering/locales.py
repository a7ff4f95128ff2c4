"""The languages of mails, and how each locale writes amounts, times and countries."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, get_args

from babel import Locale, localedata
from babel.dates import format_date, format_time
from babel.numbers import NumberPattern, parse_pattern

from schemas.currencies import minor_unit_digits

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True, slots=True)
class MailLocale:
    """The language of the texts, and the ``locale`` (Babel's name for it) of amounts and times."""

    language: Language
    locale: str


@lru_cache(1024)
def mail_locale(tag: str | None) -> MailLocale:
    """The locale of mails to a customer who has chosen ``de`` or ``de-AT``; English if it is not supported.

    ``de-AT`` is German, with amounts and dates as in Austria.
    """
    chosen, _, country = (tag or "").partition("-")
    for language in LANGUAGES:
        if chosen == language:
            regional = f"{language}_{country}"
            return MailLocale(language, regional if country and localedata.exists(regional) else language)
    return MailLocale("en", "en")


def format_money(money: dict[str, Any], locale: str) -> str:
    """An amount in minor units (ISO 4217) as people write it: 1250 EUR is €12.50, or 12,50 €."""
    return _format_money(money["amount"], money["currency"], locale)


@lru_cache(4096)
def _format_money(amount: int, currency: str, locale: str) -> str:
    # Shops have few prices, and Babel takes as long for one as Jinja for a page.
    digits = minor_unit_digits(currency)
    pattern = _money_pattern(locale, digits)
    text: str = pattern.apply(Decimal(amount).scaleb(-digits), locale, currency=currency, currency_digits=False)
    return text


@lru_cache(256)
def _money_pattern(locale: str, digits: int) -> NumberPattern:
    # Not the digits of CLDR, which Babel writes: 1250.50 RSD would be rounded to whole dinars.
    pattern = parse_pattern(Locale.parse(locale).currency_formats["standard"].pattern)
    pattern.frac_prec = (digits, digits)
    return pattern


def multiply_money(money: dict[str, Any], quantity: int) -> dict[str, Any]:
    """The price of several pieces."""
    return {**money, "amount": money["amount"] * quantity}


def format_datetime(moment: datetime, locale: str) -> str:
    """A date and time as people write it, with its time zone, since mails are read anywhere."""
    text = f"{format_date(moment, 'long', locale)}, {format_time(moment, 'short', locale=locale)} UTC"
    # Mail programs whose font lacks the narrow space before PM show a box instead.
    return text.replace("\u202f", "\u00a0")


@lru_cache(4096)
def country_name(code: str, locale: str) -> str:
    """The name of a country, or its code if it has no name."""
    return str(Locale.parse(locale).territories.get(code, code))
