"""A customer as mails need to know them: where to write to, in which language, and about what."""

from dataclasses import dataclass
from uuid import UUID

from chassis.email_address import normalised_email
from schemas import STAFF

ERASED_ADDRESS = "no address any more"
"""Replaces the address of an erased customer: no mail is sent to it, and no mail waits for it."""


@dataclass(frozen=True, slots=True)
class Customer:
    """The replica of a customer; ``version`` is that of the event that it comes from."""

    id: UUID
    email: str
    name: str
    version: int
    locale: str | None = None
    """``de`` or ``de-AT``; None if the customer has not chosen one."""
    order_updates: bool = True
    """Whether the customer wants optional mails about orders (``rendering.domain.OPTIONAL_TEMPLATES``)."""
    time_zone: str | None = None
    """``Europe/Berlin``; None if the customer has not chosen one."""

    @property
    def erased(self) -> bool:
        """Whether the customer was erased."""
        return self.email == ERASED_ADDRESS


def anonymised_customer(customer_id: UUID, version: int) -> Customer:
    """All that is kept of an erased customer."""
    return Customer(customer_id, ERASED_ADDRESS, "", version)


def staff_recipient(email: str, locale: str) -> Customer:
    """The staff, who receive mails as a customer with a well-known id."""
    return Customer(STAFF, normalised_email(email), "Staff", 1, locale)
