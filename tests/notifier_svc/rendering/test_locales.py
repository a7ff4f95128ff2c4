"""Amounts, times and countries as a locale writes them."""

from datetime import UTC, datetime

import pytest
from babel.numbers import get_currency_precision

from notifier_svc.rendering.locales import (
    MailLocale,
    country_name,
    format_date,
    format_datetime,
    format_money,
    mail_locale,
    multiply_money,
)
from schemas.currencies import MINOR_UNITS

NOON = datetime(2026, 3, 1, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tag", "language", "locale"),
    [
        (None, "en", "en"),
        ("en", "en", "en"),
        ("en-GB", "en", "en_GB"),
        ("de", "de", "de"),
        ("de-AT", "de", "de_AT"),
        ("de-XX", "de", "de"),
        ("fr", "en", "en_FR"),
        ("fr-FR", "en", "en_FR"),
        ("fr-CH", "en", "en_CH"),
        ("es-US", "en", "en"),
        ("ja-JP", "en", "en_001"),
        ("xx", "en", "en_001"),
        ("fr-XX", "en", "en_001"),
        ("", "en", "en"),
        ("de-../../etc", "de", "de"),
    ],
)
def test_unsupported_languages_become_english_and_the_country_decides_on_formats(
    tag: str | None, language: str, locale: str
) -> None:
    assert mail_locale(tag) == MailLocale(language, locale)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "shown"),
    [
        (1250, "EUR", "en", "€12.50"),
        (5, "EUR", "en", "€0.05"),
        (0, "EUR", "en", "€0.00"),
        (123456789, "USD", "en", "$1,234,567.89"),
        (1250, "JPY", "en", "¥1,250"),
        (1250, "KWD", "en", "KWD1.250"),
        (125000, "RSD", "en", "RSD1,250.00"),
        (125050, "HUF", "de", "1.250,50 HUF"),
        (125000, "IQD", "en", "IQD125.000"),
        (125000, "CLP", "en", "CLP125,000"),
        (125000, "UYW", "en", "UYW12.5000"),
        (125000, "RSD", "en_IN", "RSD1,250.00"),
        (10**15, "EUR", "en", "€10,000,000,000,000.00"),
        (150, "ZZZ", "en", "ZZZ1.50"),
        (123456, "EUR", "de", "1.234,56 €"),
        (123456, "EUR", "de_AT", "€ 1.234,56"),
        (123456, "CHF", "de_CH", "CHF 1’234.56"),
    ],
)
def test_money_has_the_decimal_places_of_its_currency(amount: int, currency: str, locale: str, shown: str) -> None:
    assert format_money({"amount": amount, "currency": currency}, locale).replace("\u00a0", " ") == shown


@pytest.mark.parametrize(
    "currency", [code for code, digits in MINOR_UNITS.items() if digits != get_currency_precision(code)]
)
def test_an_amount_has_the_digits_of_iso_4217_where_people_write_fewer(currency: str) -> None:
    shown = {2: ("1,250.00", "1.250,00"), 3: ("125.000", "125,000")}[MINOR_UNITS[currency]]
    money = {"amount": 125000, "currency": currency}
    assert [format_money(money, locale).replace("\u00a0", " ") for locale in ("en", "de")] == [
        f"{currency}{shown[0]}",
        f"{shown[1]} {currency}",
    ]


def test_the_price_of_several_pieces_is_exact() -> None:
    assert multiply_money({"amount": 10**15 - 1, "currency": "EUR"}, 7) == {
        "amount": 7 * (10**15 - 1),
        "currency": "EUR",
    }


@pytest.mark.parametrize(
    ("locale", "shown"),
    [
        ("en", "March 1, 2026, 12:05 PM UTC"),
        ("en_GB", "1 March 2026, 12:05 UTC"),
        ("de", "1. März 2026, 12:05 UTC"),
        ("en_FR", "1 March 2026, 12:05 UTC"),
        ("en_001", "1 March 2026, 12:05 pm UTC"),
    ],
)
def test_a_time_has_its_time_zone(locale: str, shown: str) -> None:
    text = format_datetime(NOON, locale)
    assert text.replace("\u00a0", " ") == shown
    assert "\u202f" not in text


def test_a_time_is_that_of_a_time_zone() -> None:
    assert format_datetime(NOON, "de", "Europe/Berlin") == "1. März 2026, 13:05 MEZ"
    assert format_datetime(NOON, "de", "No/Where") == "1. März 2026, 12:05 UTC"
    assert format_date("2026-03-01T23:30:00Z", "en_GB", "Europe/Berlin") == "2 March 2026"


@pytest.mark.parametrize(
    ("code", "locale", "shown"),
    [("DE", "en", "Germany"), ("DE", "de_AT", "Deutschland"), ("XX", "de", "XX")],
)
def test_a_country_is_named_in_the_language_of_the_mail(code: str, locale: str, shown: str) -> None:
    assert country_name(code, locale) == shown
