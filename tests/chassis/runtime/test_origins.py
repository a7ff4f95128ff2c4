"""Origins are taken as browsers send them, and nothing else is."""

import re

import pytest

from chassis.runtime.origins import parse_origins


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", ()),
        (" ", ()),
        ("https://shop.example", ("https://shop.example",)),
        ("https://shop.example, http://localhost:3000", ("https://shop.example", "http://localhost:3000")),
        ("https://xn--mnchen-3ya.de:8443,http://[::1]:3000", ("https://xn--mnchen-3ya.de:8443", "http://[::1]:3000")),
    ],
)
def test_a_list_of_origins_is_separated_by_commas(text: str, origins: tuple[str, ...]) -> None:
    assert parse_origins(text) == origins


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("*", "is a pattern"),
        ("https://*.shop.example", "is a pattern"),
        ("null", "is no origin"),
        ("shop.example", "is no origin"),
        ("ftp://shop.example", "is no origin"),
        ("file:///shop", "is no origin"),
        ("https://user@shop.example", "is no origin"),
        ("https://shop.example,", "is no origin"),
        ("https://shop.example/", "'https://shop.example' is"),
        ("https://shop.example/cart", "'https://shop.example' is"),
        ("https://shop.example?q", "'https://shop.example' is"),
        ("https://Shop.example", "'https://shop.example' is"),
        ("HTTPS://shop.example", "'https://shop.example' is"),
        ("https://shop.example:443", "'https://shop.example' is"),
        ("http://shop.example:80", "'http://shop.example' is"),
        ("https://münchen.de", "'https://xn--mnchen-3ya.de' is"),
    ],
)
def test_what_no_browser_sends_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        parse_origins(f"https://other.example,{text}")
