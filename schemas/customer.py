"""The events of customer_svc: who the customers are, and what they are to be mailed about."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from schemas.event import Event, event
from schemas.topics import CUSTOMER_EVENTS
from schemas.values import Address, Id, Value


class MailedLink(Value):
    """A link that the mail about an event carries, without its token: ``chassis.links`` makes that of the id."""

    link_id: Id
    expires_at: datetime = Field(examples=[datetime(2026, 1, 3, 3, 4, 5, tzinfo=UTC)])


@event("customer.registered", topic=CUSTOMER_EVENTS, key="customer_id")
class CustomerRegistered(Event):
    """Somebody opened an account; whoever reads mail at its address confirms that with the link ``verify``."""

    customer_id: Id
    email: str = Field(examples=["ada@example.com"])
    name: str = Field(examples=["Ada Lovelace"])
    verify: MailedLink | None = None
    locale: str | None = Field(default=None, examples=["de"])


@event("customer.registration_repeated", topic=CUSTOMER_EVENTS, key="customer_id")
class RegistrationRepeated(Event):
    """Somebody wanted to open an account where there is one; only its owner is told, by mail."""

    customer_id: Id


@event("customer.verification_requested", topic=CUSTOMER_EVENTS, key="customer_id")
class VerificationRequested(Event):
    """A customer wants one more mail with a link that confirms the address."""

    customer_id: Id
    verify: MailedLink


@event("customer.verified", topic=CUSTOMER_EVENTS, key="customer_id")
class CustomerVerified(Event):
    """Whoever reads mail at the address of the account has confirmed it."""

    customer_id: Id


@event("customer.password_reset_requested", topic=CUSTOMER_EVENTS, key="customer_id")
class PasswordResetRequested(Event):
    """Somebody who says to be the customer has forgotten the password; the mail has a link to set another."""

    customer_id: Id
    reset: MailedLink


@event("customer.password_changed", topic=CUSTOMER_EVENTS, key="customer_id")
class PasswordChanged(Event):
    """The account has another password and all its sessions have ended; its owner should hear of it."""

    customer_id: Id
    how: Literal["changed", "reset"] = Field(examples=["reset"])


@event("customer.profile_changed", topic=CUSTOMER_EVENTS, key="customer_id")
class ProfileChanged(Event):
    """What a customer says about how to be addressed and what to be mailed about; the whole of it."""

    customer_id: Id
    name: str = Field(examples=["Ada Lovelace"])
    locale: str = Field(examples=["de"])
    marketing: bool = Field(examples=[False])
    order_updates: bool = Field(examples=[True])


@event("customer.addresses_changed", topic=CUSTOMER_EVENTS, key="customer_id")
class AddressesChanged(Event):
    """Where a customer's orders and bills go by default; none where the customer has no address."""

    customer_id: Id
    shipping: Address | None
    billing: Address | None


@event("customer.deactivated", topic=CUSTOMER_EVENTS, key="customer_id")
class CustomerDeactivated(Event):
    """The account is out of use: its customer cannot order."""

    customer_id: Id
    by: Literal["customer", "staff"] = Field(examples=["customer"])


@event("customer.reactivated", topic=CUSTOMER_EVENTS, key="customer_id")
class CustomerReactivated(Event):
    """The account is in use again."""

    customer_id: Id
    by: Literal["customer", "staff"] = Field(examples=["customer"])


@event("customer.erased", topic=CUSTOMER_EVENTS, key="customer_id")
class CustomerErased(Event):
    """The account is gone, and with it who the customer was: everybody forgets that, and answers (erasure.py)."""

    customer_id: Id
