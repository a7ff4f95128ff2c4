"""The rules of registration, and that mails of one kind do not delay those of another; without any I/O."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest

from customer_svc.accounts.domain import UNVERIFIED_MAIL_INTERVAL, Account
from customer_svc.errors import LinkInvalid, RegistrationContested
from customer_svc.links.domain import NewLink
from customer_svc.passwords.domain import request_reset
from customer_svc.registration.domain import (
    WARNING_INTERVAL,
    Owner,
    new_customer,
    verify_email,
    warn_of_registration,
)
from schemas import CustomerRegistered, CustomerVerified, Event, RegistrationRepeated, VerificationRequested

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNT = UUID("019b7c61-0000-7000-8000-000000000001")
LINK = NewLink(UUID(int=7), "hash of a token").issue(ACCOUNT, "verify", NOW)
ADA = Account(ACCOUNT, "ada@example.com", "Ada", "hash", "customer", 1, NOW, verification_requested_at=NOW)


def test_a_new_customer_is_published_without_secrets() -> None:
    account, event = new_customer(ACCOUNT, "Ada@Example.com", "Ada", "hash", LINK.mailed, "en", NOW)
    assert account == ADA
    assert event == CustomerRegistered(
        customer_id=ACCOUNT, email="ada@example.com", name="Ada", verify=LINK.mailed, locale="en"
    )
    assert "hash" not in event.model_dump_json()


def test_an_owner_is_warned_once_an_hour() -> None:
    warned = warn_of_registration(ADA, NOW)
    assert warned
    account, event = warned
    assert event == RegistrationRepeated(customer_id=ACCOUNT)
    assert account == replace(ADA, version=2, changed_at=NOW + timedelta(microseconds=1), warned_at=NOW)
    assert warn_of_registration(account, NOW + WARNING_INTERVAL - timedelta(seconds=1)) is None
    assert warn_of_registration(account, NOW + WARNING_INTERVAL)


def test_an_unverified_address_gets_one_link_an_hour_and_is_contested_from_the_second_claim_on() -> None:
    assert not ADA.contested
    soon, none = ADA.contest(LINK.mailed, NOW + UNVERIFIED_MAIL_INTERVAL - timedelta(seconds=1))
    assert (soon.version, soon.contested, none) == (1, True, None)
    later = NOW + UNVERIFIED_MAIL_INTERVAL
    contested, event = soon.contest(LINK.mailed, later)
    assert event == VerificationRequested(customer_id=ACCOUNT, verify=LINK.mailed)
    assert (contested.version, contested.verification_requested_at) == (2, later)
    assert contested.contest(LINK.mailed, later)[1] is None


def test_mails_of_one_kind_do_not_delay_mails_of_another() -> None:
    requests: list[Callable[[Account], tuple[Account, Event] | None]] = [
        lambda account: warn_of_registration(account, NOW),
        lambda account: request_reset(account, LINK.mailed, NOW),
    ]
    for order in permutations(requests):
        account = ADA
        for request in order:
            requested = request(account)
            assert requested
            account = requested[0]
        assert [request(account) for request in requests] == [None] * 2


def test_an_email_address_is_verified_once() -> None:
    [(account, event)] = verify_email(ADA, None, NOW)
    assert account.verified_at == NOW
    assert event == CustomerVerified(customer_id=ACCOUNT)
    assert list(verify_email(account, None, NOW)) == []


def test_the_link_of_a_contested_account_replaces_name_password_and_epoch() -> None:
    contested, _ = ADA.contest(LINK.mailed, NOW)
    with pytest.raises(RegistrationContested):
        list(verify_email(contested, None, NOW))
    *_, (account, event) = verify_email(contested, Owner("Grace", "their hash"), NOW)
    assert (account.name, account.password_hash, account.epoch) == ("Grace", "their hash", 1)
    assert (account.version, account.contested, event) == (3, False, CustomerVerified(customer_id=ACCOUNT))


def test_a_verified_account_is_not_handed_over() -> None:
    [(account, _)] = verify_email(ADA, None, NOW)
    with pytest.raises(LinkInvalid):
        list(verify_email(account, Owner("Eve", "her hash"), NOW))
