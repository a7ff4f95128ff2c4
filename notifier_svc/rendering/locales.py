"""The languages of mails, and how each locale writes amounts, times and countries."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, get_args

from babel import Locale, dates, localedata
from babel.core import get_global
from babel.numbers import NumberPattern, parse_pattern

from chassis.time_zones import time_zone
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
    """The locale of mails to a customer who has chosen ``de`` or ``de-AT``.

    ``de-AT`` is German, with amounts and dates as in Austria; ``fr-FR`` is English as in France: day before month.
    """
    chosen, _, country = (tag or "").partition("-")
    for language in LANGUAGES:
        if chosen == language:
            regional = f"{language}_{country}"
            return MailLocale(language, regional if country and localedata.exists(regional) else language)
    country = country or str(get_global("likely_subtags").get(chosen, "")).rpartition("_")[2]
    if not chosen or country == "US":
        return MailLocale("en", "en")
    regional = f"en_{country}"
    return MailLocale("en", regional if country and localedata.exists(regional) else "en_001")


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


def format_datetime(moment: datetime, locale: str, zone: str | None = None) -> str:
    """A date and time as people write it, in a time zone (IANA) or UTC, whose name follows."""
    local = _local(moment, zone)
    time = dates.format_time(local, "short", local.tzinfo, locale)
    name = dates.get_timezone_name(local, "short", locale=locale)
    text = f"{dates.format_date(local, 'long', locale)}, {time} {name}"
    # Mail programs whose font lacks the narrow space before PM show a box instead.
    return text.replace("\u202f", "\u00a0")


def format_date(moment: str, locale: str, zone: str | None = None) -> str:
    """The date of a moment (ISO 8601) as people write it, in a time zone (IANA) or UTC."""
    return dates.format_date(_local(datetime.fromisoformat(moment), zone), "long", locale)


def _local(moment: datetime, zone: str | None) -> datetime:
    return moment.astimezone(time_zone(zone) or UTC)


@lru_cache(4096)
def country_name(code: str, locale: str) -> str:
    """The name of a country, or its code if it has no name."""
    return str(Locale.parse(locale).territories.get(code, code))
