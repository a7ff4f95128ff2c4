"""What an account is, and the rules it keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from unicodedata import normalize
from uuid import UUID

from chassis.persistence.unit_of_work import next_time
from customer_svc.domain.address import Entry, default
from customer_svc.errors import AccountDeactivated, ActiveAlready, DeactivatedAlready
from schemas import (
    AddressesChanged,
    CustomerDeactivated,
    CustomerReactivated,
    CustomerRegistered,
    CustomerVerified,
    MailedLink,
    PasswordChanged,
    PasswordResetRequested,
    ProfileChanged,
    RegistrationRepeated,
    VerificationRequested,
)

Role = Literal["customer", "staff", "ops"]
By = Literal["customer", "staff"]

WARN_EVERY = timedelta(hours=1)
"""Somebody who registers an address again and again must not fill its owner's mailbox."""
ASK_EVERY = timedelta(minutes=1)
"""So far apart are mails that people ask for."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can log in: a customer, or one of us."""

    id: UUID
    email: str
    name: str
    password_hash: str
    role: Role
    version: int
    changed_at: datetime
    verified_at: datetime | None = None
    warned_at: datetime | None = None
    """When its owner was last told that somebody registered its address again."""
    verify_asked_at: datetime | None = None
    """When a link to confirm the address was last asked for."""
    reset_asked_at: datetime | None = None
    """When a link to set the password was last asked for. Times of its own: anybody can have the owner warned."""

    epoch: int = 0
    """Sessions, and links to set a password, are good within the epoch in which they were made."""

    phone: str | None = None
    locale: str = "en"
    marketing: bool = False
    """Wants mails that sell something."""
    order_updates: bool = True
    """Wants mails on the way of an order, beyond those that the purchase itself calls for."""
    addresses: tuple[Entry, ...] = ()
    deactivated_by: By | None = None
    """Who put it out of use; None while it is in use."""

    def changed(self, now: datetime, **changes: Any) -> "Account":
        """The next version of the account."""
        return replace(self, version=self.version + 1, changed_at=next_time(now, self.changed_at), **changes)

    def warn(self, now: datetime) -> tuple["Account", RegistrationRepeated] | None:
        """Somebody registered this address once more; None where its owner was told of it just now."""
        if _within(WARN_EVERY, self.warned_at, now):
            return None
        return self.changed(now, warned_at=now), RegistrationRepeated(customer_id=self.id)

    def ask_to_verify(self, verify: MailedLink, now: datetime) -> tuple["Account", VerificationRequested] | None:
        """Another mail with a link to confirm the address; None where one was asked for just now."""
        if _within(ASK_EVERY, self.verify_asked_at, now):
            return None
        return self.changed(now, verify_asked_at=now), VerificationRequested(customer_id=self.id, verify=verify)

    def verify(self, now: datetime) -> tuple["Account", CustomerVerified] | None:
        """The address is confirmed; None where it was before."""
        if self.verified_at:
            return None
        return self.changed(now, verified_at=now), CustomerVerified(customer_id=self.id)

    def ask_to_reset(self, reset: MailedLink, now: datetime) -> tuple["Account", PasswordResetRequested] | None:
        """A mail with a link to set the password; None where one was asked for just now."""
        if _within(ASK_EVERY, self.reset_asked_at, now):
            return None
        return self.changed(now, reset_asked_at=now), PasswordResetRequested(customer_id=self.id, reset=reset)

    def set_password(
        self, password_hash: str, how: Literal["changed", "reset"], now: datetime
    ) -> tuple["Account", PasswordChanged]:
        """Another password, which ends all sessions. Who resets it by mail has confirmed the address too."""
        verified_at = self.verified_at or (now if how == "reset" else None)
        account = self.changed(now, password_hash=password_hash, epoch=self.epoch + 1, verified_at=verified_at)
        return account, PasswordChanged(customer_id=self.id, how=how)

    def change_profile(self, changes: Mapping[str, Any], now: datetime) -> tuple["Account", ProfileChanged]:
        """Another name, phone number, locale or preference."""
        self.require_active()
        account = self.changed(now, **changes)
        return account, ProfileChanged(
            customer_id=self.id,
            name=account.name,
            locale=account.locale,
            marketing=account.marketing,
            order_updates=account.order_updates,
        )

    def move(self, addresses: tuple[Entry, ...], now: datetime) -> tuple["Account", AddressesChanged]:
        """Other addresses; others need to know the defaults."""
        self.require_active()
        shipping, billing = default(addresses, "shipping"), default(addresses, "billing")
        account = self.changed(now, addresses=addresses)
        return account, AddressesChanged(customer_id=self.id, shipping=shipping, billing=billing)

    def deactivate(self, by: By, now: datetime) -> tuple["Account", CustomerDeactivated]:
        """Out of use, with all sessions ended. Staff may do so also where the customer has."""
        if self.deactivated_by in (by, "staff"):
            raise DeactivatedAlready
        account = self.changed(now, deactivated_by=by, epoch=self.epoch + 1)
        return account, CustomerDeactivated(customer_id=self.id, by=by)

    def reactivate(self, by: By, now: datetime) -> tuple["Account", CustomerReactivated]:
        """In use again; what staff did, only staff undo."""
        if self.deactivated_by is None:
            raise ActiveAlready
        if self.deactivated_by == "staff" and by != "staff":
            raise AccountDeactivated
        return self.changed(now, deactivated_by=None), CustomerReactivated(customer_id=self.id, by=by)

    def require_active(self) -> None:
        """Raise ``AccountDeactivated`` where the account is out of use."""
        if self.deactivated_by:
            raise AccountDeactivated


def _within(time: timedelta, asked_at: datetime | None, now: datetime) -> bool:
    """Was it asked for so short a time ago?"""
    return asked_at is not None and now - asked_at < time


def normalised(email: str) -> str:
    """One spelling per mailbox: mail providers ignore case, and so do people."""
    # Not casefold(): it makes ss of ß, and that is somebody else's mailbox.
    return normalize("NFC", email.strip().lower())


def register(
    account_id: UUID, email: str, name: str, password_hash: str, verify: MailedLink, locale: str, now: datetime
) -> tuple[Account, CustomerRegistered]:
    """A new customer."""
    account = Account(account_id, normalised(email), name, password_hash, "customer", 1, now, locale=locale)
    event = CustomerRegistered(customer_id=account_id, email=account.email, name=name, verify=verify, locale=locale)
    return account, event
