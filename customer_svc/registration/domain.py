"""The rules of registration and of verifying e-mail addresses.

Anybody can register any address, as often as they like, with a name and password of their choice. None of it counts
until somebody uses a mailed link. If there was one registration only, it is theirs. If there were several, nobody
knows which of them was the owner's: the one who uses the link says the name and password anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chassis.email_address import normalised_email
from customer_svc.accounts.domain import Account, is_recent
from customer_svc.errors import LinkInvalid, RegistrationContested
from schemas import (
    AddressesChanged,
    CustomerRegistered,
    CustomerVerified,
    Event,
    MailedLink,
    ProfileChanged,
    RegistrationRepeated,
)

WARNING_INTERVAL = timedelta(hours=1)
"""Somebody who registers an e-mail address again and again must not fill its owner's mailbox."""


@dataclass(frozen=True, slots=True)
class Owner:
    """What the owner of an e-mail address sets, who has proved with a link that it is theirs."""

    name: str
    password_hash: str


def new_customer(
    account_id: UUID, email: str, name: str, password_hash: str, verify: MailedLink, locale: str, now: datetime
) -> tuple[Account, CustomerRegistered]:
    """The account of a new customer."""
    account = Account(
        *(account_id, normalised_email(email), name, password_hash, "customer", 1, now),
        verification_requested_at=now,
        locale=locale,
    )
    event = CustomerRegistered(customer_id=account_id, email=account.email, name=name, verify=verify, locale=locale)
    return account, event


def warn_of_registration(account: Account, now: datetime) -> tuple[Account, RegistrationRepeated] | None:
    """Warn the owner that somebody registered this e-mail address again; None if that was done recently."""
    if is_recent(account.warned_at, now, WARNING_INTERVAL):
        return None
    return account.next_version(now, warned_at=now), RegistrationRepeated(customer_id=account.id)


def verify_email(account: Account, owner: Owner | None, now: datetime) -> Iterator[tuple[Account, Event]]:
    """Verify the e-mail address, as each version of the account with its event; nothing if it is verified already.

    Raise ``RegistrationContested`` where an ``owner`` is needed, and ``LinkInvalid`` for one who comes too late: the
    link of a verified account sets no password.
    """
    if account.verified_at:
        if owner:
            raise LinkInvalid
        return
    if owner:
        versions = list(_hand_over(account, owner, now))
        yield from versions
        account, _ = versions[-1]
    elif account.contested:
        raise RegistrationContested
    yield account.next_version(now, verified_at=now), CustomerVerified(customer_id=account.id)


def _hand_over(account: Account, owner: Owner, now: datetime) -> Iterator[tuple[Account, Event]]:
    """Leave nothing of the earlier registrations: neither password and sessions, nor what they set in the profile."""
    if account.addresses:
        account = account.next_version(now, addresses=())
        yield account, AddressesChanged(customer_id=account.id, shipping=None, billing=None)
    account = account.next_version(
        now, name=owner.name, password_hash=owner.password_hash, epoch=account.epoch + 1, phone=None, marketing=False
    )
    yield (
        account,
        ProfileChanged(
            customer_id=account.id,
            name=account.name,
            locale=account.locale,
            marketing=account.marketing,
            order_updates=account.order_updates,
            time_zone=account.time_zone,
        ),
    )
