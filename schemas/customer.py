"""The events of customer_svc: accounts, their addresses and preferences, and the links in mails to them."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from schemas.event import Event, event
from schemas.topics import CUSTOMER_EVENTS
from schemas.values import Address, Id, Value


class MailedLink(Value):
    """A link for the mail about an event, without its token: ``chassis.link_tokens`` makes it from the id."""

    link_id: Id
    expires_at: datetime = Field(examples=[datetime(2026, 1, 3, 3, 4, 5, tzinfo=UTC)])


@event("customer.registered", topic=CUSTOMER_EVENTS, key="customer_id")
class CustomerRegistered(Event):
    """An account was registered; the link ``verify``, in a mail to its address, confirms the address."""

    customer_id: Id
    email: str = Field(examples=["ada@example.com"])
    name: str = Field(examples=["Ada Lovelace"])
    verify: MailedLink | None = None
    locale: str | None = Field(default=None, examples=["de"])


@event("customer.registration_repeated", topic=CUSTOMER_EVENTS, key="customer_id")
class RegistrationRepeated(Event):
    """A registration used the address of an existing account; only the account's owner is notified, by mail."""

    customer_id: Id


@event("customer.verification_requested", topic=CUSTOMER_EVENTS, key="customer_id")
class VerificationRequested(Event):
    """A customer requested one more mail with a link that confirms the address."""

    customer_id: Id
    verify: MailedLink


@event("customer.verified", topic=CUSTOMER_EVENTS, key="customer_id")
class CustomerVerified(Event):
    """The address of the account was confirmed with a link from a mail."""

    customer_id: Id


@event("customer.password_reset_requested", topic=CUSTOMER_EVENTS, key="customer_id")
class PasswordResetRequested(Event):
    """A password reset was requested for the account; the mail has a link to set a new password."""

    customer_id: Id
    reset: MailedLink


@event("customer.password_changed", topic=CUSTOMER_EVENTS, key="customer_id")
class PasswordChanged(Event):
    """The account's password was changed and all its sessions have ended; its owner is notified."""

    customer_id: Id
    how: Literal["changed", "reset"] = Field(examples=["reset"])


@event("customer.email_change_requested", topic=CUSTOMER_EVENTS, key="customer_id")
class EmailChangeRequested(Event):
    """A customer requested another address; a mail to it has the link ``change``, which confirms it.

    If it is ``taken``, by an account whose owner has confirmed it, the mail says so instead, and the link is void.
    """

    customer_id: Id
    email: str = Field(examples=["ada.lovelace@example.com"])
    change: MailedLink
    taken: bool = Field(examples=[False])


@event("customer.email_changed", topic=CUSTOMER_EVENTS, key="customer_id")
class EmailChanged(Event):
    """The account has another address, and its sessions have ended; a mail to the old one can revert that."""

    customer_id: Id
    email: str = Field(examples=["ada.lovelace@example.com"])
    old_email: str = Field(examples=["ada@example.com"])
    revert: MailedLink


@event("customer.email_change_reverted", topic=CUSTOMER_EVENTS, key="customer_id")
class EmailChangeReverted(Event):
    """The account has an earlier address again, with the link that was mailed there; the removed one is notified."""

    customer_id: Id
    email: str = Field(examples=["ada@example.com"])
    removed_email: str = Field(examples=["ada.lovelace@example.com"])


@event("customer.profile_changed", topic=CUSTOMER_EVENTS, key="customer_id")
class ProfileChanged(Event):
    """A customer's name, language, time zone (IANA) and mail preferences: all of them, as they are now."""

    customer_id: Id
    name: str = Field(examples=["Ada Lovelace"])
    locale: str = Field(examples=["de"])
    marketing: bool = Field(examples=[False])
    order_updates: bool = Field(examples=[True])
    time_zone: str | None = Field(default=None, examples=["Europe/Berlin"])


@event("customer.addresses_changed", topic=CUSTOMER_EVENTS, key="customer_id")
class AddressesChanged(Event):
    """A customer's default shipping and billing addresses; none where there is no address."""

    customer_id: Id
    shipping: Address | None
    billing: Address | None


@event("customer.deactivated", topic=CUSTOMER_EVENTS, key="customer_id")
class CustomerDeactivated(Event):
    """The account was deactivated: its customer cannot order."""

    customer_id: Id
    by: Literal["customer", "staff"] = Field(examples=["customer"])


@event("customer.reactivated", topic=CUSTOMER_EVENTS, key="customer_id")
class CustomerReactivated(Event):
    """The account was reactivated."""

    customer_id: Id
    by: Literal["customer", "staff"] = Field(examples=["customer"])


@event("customer.erased", topic=CUSTOMER_EVENTS, key="customer_id")
class CustomerErased(Event):
    """The account was erased: every service anonymises the customer's data, and acknowledges that (erasure.py).

    It is not ``requested`` if nobody had proved the account's address to be theirs, and it is another account's now.
    """

    customer_id: Id
    requested: bool = Field(default=True, examples=[True])
