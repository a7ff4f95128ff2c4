"""The rules of registration and of verifying e-mail addresses."""

from datetime import datetime, timedelta
from uuid import UUID

from customer_svc.accounts.domain import MAIL_INTERVAL, Account, is_recent, normalised_email
from schemas import CustomerRegistered, CustomerVerified, MailedLink, RegistrationRepeated, VerificationRequested

WARNING_INTERVAL = timedelta(hours=1)
"""Somebody who registers an e-mail address again and again must not fill its owner's mailbox."""


def new_customer(
    account_id: UUID, email: str, name: str, password_hash: str, verify: MailedLink, locale: str, now: datetime
) -> tuple[Account, CustomerRegistered]:
    """The account of a new customer."""
    account = Account(account_id, normalised_email(email), name, password_hash, "customer", 1, now, locale=locale)
    event = CustomerRegistered(customer_id=account_id, email=account.email, name=name, verify=verify, locale=locale)
    return account, event


def warn_of_registration(account: Account, now: datetime) -> tuple[Account, RegistrationRepeated] | None:
    """Warn the owner that somebody registered this e-mail address again; None if that was done recently."""
    if is_recent(account.warned_at, now, WARNING_INTERVAL):
        return None
    return account.next_version(now, warned_at=now), RegistrationRepeated(customer_id=account.id)


def request_verification(
    account: Account, verify: MailedLink, now: datetime
) -> tuple[Account, VerificationRequested] | None:
    """Have another link mailed that verifies the e-mail address; None if one was requested a moment ago."""
    if is_recent(account.verification_requested_at, now, MAIL_INTERVAL):
        return None
    event = VerificationRequested(customer_id=account.id, verify=verify)
    return account.next_version(now, verification_requested_at=now), event


def verify_email(account: Account, now: datetime) -> tuple[Account, CustomerVerified] | None:
    """Verify the e-mail address; None if it is already."""
    if account.verified_at:
        return None
    return account.next_version(now, verified_at=now), CustomerVerified(customer_id=account.id)
