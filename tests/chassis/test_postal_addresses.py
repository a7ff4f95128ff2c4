"""What addresses in a country need."""

import pytest

from chassis.postal_addresses import country_rules, preload


@pytest.mark.parametrize(
    ("country", "needed"),
    [
        ("GB", {"postal_code"}),
        ("DE", {"postal_code"}),
        ("FR", {"postal_code"}),
        ("US", {"postal_code", "region"}),
        ("CA", {"postal_code", "region"}),
        ("JP", {"postal_code", "region"}),
        ("HK", {"region"}),
        ("AE", {"region"}),
        ("QA", set()),
        ("JM", {"region"}),
        ("XX", set()),
        ("ZZ", set()),
    ],
)
def test_a_country_says_what_its_addresses_need(country: str, needed: set[str]) -> None:
    assert country_rules(country).required == needed


@pytest.mark.parametrize(
    ("country", "kind"), [("US", "state"), ("AE", "emirate"), ("JP", "prefecture"), ("JM", "parish"), ("HK", "area")]
)
def test_a_country_has_its_own_word_for_regions(country: str, kind: str) -> None:
    assert country_rules(country).region_kind == kind


def test_a_country_that_is_not_known_has_a_format() -> None:
    rules = country_rules("XX")
    assert rules.local_format == rules.latin_format
    assert "%C" in rules.local_format


def test_the_large_files_are_read_when_a_process_starts_and_not_again() -> None:
    preload()
    before = country_rules.cache_info().misses
    assert {country_rules(one).region_kind for one in ("BR", "CN")} == {"state", "province"}
    assert country_rules.cache_info().misses == before
