"""Accounts: what belongs to one, and the rules of its status."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from unicodedata import category, normalize
from uuid import UUID

from chassis.persistence.unit_of_work import next_time
from customer_svc.errors import AccountDeactivated, AlreadyActive, AlreadyDeactivated
from schemas import Address, CustomerDeactivated, CustomerReactivated, MailedLink, VerificationRequested

Role = Literal["customer", "staff", "ops"]
AccountStatus = Literal["active", "deactivated"]
Actor = Literal["customer", "staff"]
"""Who can deactivate a customer's account."""

MAIL_INTERVAL = timedelta(minutes=1)
"""The minimum time between two mails of the same kind that the recipient requested."""
UNVERIFIED_MAIL_INTERVAL = timedelta(hours=1)
"""The minimum time between two mails to an address that nobody has proved to be theirs."""


@dataclass(frozen=True, slots=True)
class SavedAddress:
    """One of a customer's addresses. If a customer has any, exactly one is the default for each use."""

    id: UUID
    name: str
    street: str
    city: str
    postal_code: str
    """``schemas.values.NO_POSTAL_CODE`` if there is none."""
    country: str
    shipping: bool
    """Whether it is the default for shipments."""
    billing: bool
    """Whether it is the default for bills."""
    revision: int
    company: str | None = None
    line2: str | None = None
    region: str | None = None
    phone: str | None = None

    @property
    def address(self) -> Address:
        """The address as events and orders contain it."""
        return Address.model_validate({name: getattr(self, name) for name in Address.model_fields})


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can log in: a customer, or a member of staff."""

    id: UUID
    email: str
    name: str
    password_hash: str
    role: Role
    version: int
    changed_at: datetime
    verified_at: datetime | None = None
    warned_at: datetime | None = None
    """When this e-mail address was last registered again: the owner of a verified account was warned of it then."""
    verification_requested_at: datetime | None = None
    """When a link to verify the e-mail address was last mailed."""
    reset_requested_at: datetime | None = None
    """When a link to reset the password was last requested.

    The three times are separate: anybody can cause a warning, and it must not delay the other mails.
    """
    epoch: int = 0
    """Sessions, access tokens and links to reset the password are valid only in the epoch that made them."""
    epoch_changed_at: datetime | None = None
    """When the epoch last changed: access tokens that were issued before are revoked."""
    phone: str | None = None
    locale: str = "en"
    marketing: bool = False
    """Whether the customer wants advertising mails."""
    order_updates: bool = True
    """Whether the customer wants mails about the progress of orders, beyond those that a purchase requires."""
    time_zone: str | None = None
    """The IANA name of the time zone that times in mails are in; UTC without one."""
    addresses: tuple[SavedAddress, ...] = ()
    deactivated_by: Actor | Literal["ops"] | None = None
    """Who deactivated the account; None while it is active."""

    @property
    def status(self) -> AccountStatus:
        """Whether the account can be used."""
        return "deactivated" if self.deactivated_by else "active"

    @property
    def contested(self) -> bool:
        """Whether more than one registration claims the e-mail address, and nobody has proved that it is theirs."""
        return self.verified_at is None and self.warned_at is not None

    def next_version(self, now: datetime, **changes: Any) -> "Account":
        """The account with changes."""
        if changes.get("epoch", self.epoch) != self.epoch:
            changes["epoch_changed_at"] = now
        return replace(self, version=self.version + 1, changed_at=next_time(now, self.changed_at), **changes)

    def contest(self, verify: MailedLink, now: datetime) -> tuple["Account", VerificationRequested | None]:
        """Note another claim to the unverified e-mail address, and have a link mailed unless one was within the hour.

        What the earlier claims set stays as it is: the one who uses the link decides (``registration.domain``).
        """
        account = replace(self, warned_at=now)
        if is_recent(self.verification_requested_at, now, UNVERIFIED_MAIL_INTERVAL):
            return account, None
        event = VerificationRequested(customer_id=self.id, verify=verify)
        return account.next_version(now, verification_requested_at=now), event

    def deactivate(self, by: Actor, now: datetime) -> tuple["Account", CustomerDeactivated]:
        """Deactivate the account and end its sessions.

        Staff can do so even if the customer has already; then only staff can reactivate it.
        """
        if self.deactivated_by in (by, "staff"):
            raise AlreadyDeactivated
        account = self.next_version(now, deactivated_by=by, epoch=self.epoch + 1)
        return account, CustomerDeactivated(customer_id=self.id, by=by)

    def reactivate(self, by: Actor, now: datetime) -> tuple["Account", CustomerReactivated]:
        """Reactivate the account; if staff deactivated it, only staff can."""
        if self.deactivated_by is None:
            raise AlreadyActive
        if self.deactivated_by == "staff" and by != "staff":
            raise AccountDeactivated
        return self.next_version(now, deactivated_by=None), CustomerReactivated(customer_id=self.id, by=by)

    def end_sessions(self, now: datetime) -> "Account":
        """End every session, and with them their access tokens; nothing else changes, so the version stays."""
        return replace(self, epoch=self.epoch + 1, epoch_changed_at=now)

    def require_active(self) -> None:
        """Raise ``AccountDeactivated`` if the account is deactivated."""
        if self.deactivated_by:
            raise AccountDeactivated


def is_recent(moment: datetime | None, now: datetime, interval: timedelta) -> bool:
    """Whether something happened less than ``interval`` ago."""
    return moment is not None and now - moment < interval


def normalised_password(password: str) -> str:
    """One form per password, however a keyboard makes its characters (RFC 8265 §4.2.2, OpaqueString).

    Letters with accents are composed (NFC), and every kind of space is the space of ASCII; nothing else changes.
    """
    return normalize("NFC", "".join(" " if category(one) == "Zs" else one for one in password))
