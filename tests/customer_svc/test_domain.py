"""What an account is, without any I/O."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from customer_svc.domain import Account, normalised, register
from schemas import CustomerRegistered

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNT = UUID("019b7c61-0000-7000-8000-000000000001")


def test_a_new_account_is_a_customers_and_is_told_without_its_secrets() -> None:
    account, event = register(ACCOUNT, "Ada@Example.com", "Ada", "hash", NOW)
    assert account == Account(ACCOUNT, "ada@example.com", "Ada", "hash", "customer", 1, NOW)
    assert event == CustomerRegistered(customer_id=ACCOUNT, email="ada@example.com", name="Ada")
    assert "hash" not in event.model_dump_json()


@pytest.mark.parametrize(
    ("given", "kept"),
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
def test_one_spelling_is_kept_per_mailbox_and_it_is_still_that_mailbox(given: str, kept: str) -> None:
    assert normalised(given) == kept
    assert normalised(kept) == kept
