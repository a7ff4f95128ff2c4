"""The rules of accounts, without any I/O."""

import pytest

from chassis.email_address import normalised_email


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("Ada@EXAMPLE.com", "ada@example.com"),
        (" ada@example.com ", "ada@example.com"),
        ("JOSE\u0301@example.com", "jos\u00e9@example.com"),
        ("stra\u00dfe@example.com", "stra\u00dfe@example.com"),
        (
            "\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2@example.com",
            "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2@example.com",
        ),
    ],
)
def test_an_email_address_has_one_spelling_which_is_still_the_same_mailbox(given: str, stored: str) -> None:
    assert normalised_email(given) == stored
    assert normalised_email(stored) == stored
