"""What an account is, without any I/O."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest

from customer_svc.domain.account import ASK_EVERY, WARN_EVERY, Account, normalised, register
from customer_svc.domain.link import GOOD_FOR, NewLink, hashed, made
from schemas import CustomerRegistered, CustomerVerified, Event, RegistrationRepeated, VerificationRequested

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNT = UUID("019b7c61-0000-7000-8000-000000000001")
LINK = made(NewLink(UUID(int=7), "hash of a token"), ACCOUNT, "verify", NOW)
ADA = Account(ACCOUNT, "ada@example.com", "Ada", "hash", "customer", 1, NOW)


def test_a_new_account_is_a_customers_and_is_told_without_its_secrets() -> None:
    account, event = register(ACCOUNT, "Ada@Example.com", "Ada", "hash", LINK.mailed, "en", NOW)
    assert account == ADA
    assert event == CustomerRegistered(
        customer_id=ACCOUNT, email="ada@example.com", name="Ada", verify=LINK.mailed, locale="en"
    )
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


def test_an_owner_is_warned_once_an_hour() -> None:
    warned = ADA.warn(NOW)
    assert warned
    account, event = warned
    assert event == RegistrationRepeated(customer_id=ACCOUNT)
    assert account == replace(ADA, version=2, changed_at=NOW + timedelta(microseconds=1), warned_at=NOW)
    assert account.warn(NOW + WARN_EVERY - timedelta(seconds=1)) is None
    assert account.warn(NOW + WARN_EVERY)


def test_a_mail_is_sent_once_a_minute_however_often_it_is_asked_for() -> None:
    asked = ADA.ask_to_verify(LINK.mailed, NOW)
    assert asked
    assert asked[1] == VerificationRequested(customer_id=ACCOUNT, verify=LINK.mailed)
    assert asked[0].ask_to_verify(LINK.mailed, NOW + ASK_EVERY - timedelta(seconds=1)) is None
    assert asked[0].ask_to_verify(LINK.mailed, NOW + ASK_EVERY)


def test_no_mail_that_is_asked_for_holds_up_one_of_another_kind() -> None:
    asks: list[Callable[[Account], tuple[Account, Event] | None]] = [
        lambda account: account.warn(NOW),
        lambda account: account.ask_to_verify(LINK.mailed, NOW),
        lambda account: account.ask_to_reset(LINK.mailed, NOW),
    ]
    for order in permutations(asks):
        account = ADA
        for ask in order:
            asked = ask(account)
            assert asked
            account = asked[0]
        assert [ask(account) for ask in asks] == [None] * 3


def test_an_address_is_confirmed_once() -> None:
    verified = ADA.verify(NOW)
    assert verified
    assert verified[0].verified_at == NOW
    assert verified[1] == CustomerVerified(customer_id=ACCOUNT)
    assert verified[0].verify(NOW) is None


def test_a_link_can_be_used_once_for_one_thing_and_not_for_long() -> None:
    used = LINK.use("verify", NOW)
    assert used == replace(LINK, used_at=NOW)
    assert used.use("verify", NOW) is None
    assert LINK.use("reset", NOW) is None
    assert LINK.use("verify", NOW + GOOD_FOR["verify"]) is None


def test_what_is_kept_of_a_token_does_not_show_it() -> None:
    assert hashed("token") == hashed("token") != hashed("tokem")
    assert "token" not in hashed("token")
