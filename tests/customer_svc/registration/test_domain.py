"""The rules of registration, and that mails of one kind do not delay those of another; without any I/O."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

from customer_svc.accounts.domain import MAIL_INTERVAL, Account
from customer_svc.links.domain import NewLink
from customer_svc.passwords.domain import request_reset
from customer_svc.registration.domain import (
    WARNING_INTERVAL,
    new_customer,
    request_verification,
    verify_email,
    warn_of_registration,
)
from schemas import CustomerRegistered, CustomerVerified, Event, RegistrationRepeated, VerificationRequested

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNT = UUID("019b7c61-0000-7000-8000-000000000001")
LINK = NewLink(UUID(int=7), "hash of a token").issue(ACCOUNT, "verify", NOW)
ADA = Account(ACCOUNT, "ada@example.com", "Ada", "hash", "customer", 1, NOW)


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


def test_a_verification_mail_is_sent_once_a_minute_however_often_it_is_requested() -> None:
    requested = request_verification(ADA, LINK.mailed, NOW)
    assert requested
    account, event = requested
    assert event == VerificationRequested(customer_id=ACCOUNT, verify=LINK.mailed)
    assert request_verification(account, LINK.mailed, NOW + MAIL_INTERVAL - timedelta(seconds=1)) is None
    assert request_verification(account, LINK.mailed, NOW + MAIL_INTERVAL)


def test_mails_of_one_kind_do_not_delay_mails_of_another() -> None:
    requests: list[Callable[[Account], tuple[Account, Event] | None]] = [
        lambda account: warn_of_registration(account, NOW),
        lambda account: request_verification(account, LINK.mailed, NOW),
        lambda account: request_reset(account, LINK.mailed, NOW),
    ]
    for order in permutations(requests):
        account = ADA
        for request in order:
            requested = request(account)
            assert requested
            account = requested[0]
        assert [request(account) for request in requests] == [None] * 3


def test_an_email_address_is_verified_once() -> None:
    verified = verify_email(ADA, NOW)
    assert verified
    account, event = verified
    assert account.verified_at == NOW
    assert event == CustomerVerified(customer_id=ACCOUNT)
    assert verify_email(account, NOW) is None
