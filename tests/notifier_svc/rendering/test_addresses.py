"""Addresses in the order of their country."""

import pytest

from notifier_svc.rendering.addresses import address_lines

ADA = {"name": "Ada Lovelace", "street": "1 St"}


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        (
            {"city": "London", "postal_code": "SW1Y 4JH", "country": "GB"},
            ["Ada Lovelace", "1 St", "London", "SW1Y 4JH", "United Kingdom"],
        ),
        (
            {"city": "Berlin", "postal_code": "10969", "country": "DE", "line2": "2. OG", "company": "Werk GmbH"},
            ["Ada Lovelace", "Werk GmbH", "1 St", "2. OG", "10969 Berlin", "Germany"],
        ),
        (
            {"city": "Springfield", "region": "IL", "postal_code": "62701", "country": "US"},
            ["Ada Lovelace", "1 St", "Springfield, IL 62701", "United States"],
        ),
        (
            # As it was taken before a state was needed.
            {"city": "Springfield", "postal_code": "62701", "country": "US"},
            ["Ada Lovelace", "1 St", "Springfield 62701", "United States"],
        ),
        (
            {"city": "São Paulo", "region": "SP", "postal_code": "01310-100", "country": "BR"},
            ["Ada Lovelace", "1 St", "São Paulo-SP", "01310-100", "Brazil"],
        ),
        (
            {"city": "Zürich", "postal_code": "8001", "country": "CH"},
            ["Ada Lovelace", "1 St", "CH-8001 Zürich", "Switzerland"],
        ),
        (
            {"city": "Singapore", "postal_code": "018956", "country": "SG"},
            ["Ada Lovelace", "1 St", "SINGAPORE 018956", "Singapore"],
        ),
        (
            {"city": "Tsim Sha Tsui", "region": "Kowloon", "postal_code": "-", "country": "HK"},
            ["Ada Lovelace", "1 St", "Tsim Sha Tsui", "Kowloon", "Hong Kong SAR China"],
        ),
        (
            {"city": "Dubai", "region": "Dubai", "postal_code": "-", "country": "AE"},
            ["Ada Lovelace", "1 St", "Dubai", "United Arab Emirates"],
        ),
        (
            {"city": "Al Ain", "region": "Abu Dhabi", "postal_code": "-", "country": "AE"},
            ["Ada Lovelace", "1 St", "Al Ain", "Abu Dhabi", "United Arab Emirates"],
        ),
        (
            {"city": "St Helier", "postal_code": "JE2 3AB", "country": "JE"},
            ["Ada Lovelace", "1 St", "St Helier", "JE2 3AB", "Jersey"],
        ),
        (
            {"city": "Chiyoda-ku", "region": "Tokyo", "postal_code": "100-0001", "country": "JP"},
            ["Ada Lovelace", "1 St", "Chiyoda-ku, Tokyo", "100-0001", "Japan"],
        ),
        (
            {"city": "Nowhere", "postal_code": "12", "country": "XX"},
            ["Ada Lovelace", "1 St", "Nowhere", "12", "XX"],
        ),
    ],
    ids=lambda value: value["country"] + "-" + value["city"] if isinstance(value, dict) else "",
)
def test_an_address_is_in_the_order_of_its_country(address: dict[str, str], lines: list[str]) -> None:
    assert address_lines(ADA | address, "en") == lines


def test_an_address_in_the_script_of_its_country_begins_with_the_largest_place() -> None:
    tokyo = {"name": "李", "street": "千代田1-1", "city": "千代田区", "region": "東京都", "country": "JP"}
    assert address_lines(tokyo | {"postal_code": "100-0001"}, "de") == [
        *("〒100-0001", "東京都", "千代田区", "千代田1-1", "李", "Japan"),
    ]
