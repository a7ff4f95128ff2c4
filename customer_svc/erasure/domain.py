"""The erasure of a customer: which services have acknowledged that they anonymised the customer's data."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from schemas import MailsAnonymised, OrdersAnonymised

Acknowledgement = OrdersAnonymised | MailsAnonymised
"""A service has anonymised what it stores about the customer."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What remains of an account: its id, its last version, and the progress of the erasure.

    ``id`` is random and serves as the permission to read the progress: there is no account left to log in to.
    """

    customer_id: UUID
    id: UUID
    version: int
    changed_at: datetime
    """When the account was deleted. With the version, the end of its history."""
    orders_anonymised_at: datetime | None = None
    mails_anonymised_at: datetime | None = None

    def acknowledge(self, event: Acknowledgement, at: datetime) -> "Erasure":
        """Note an acknowledgement; a repeated one changes nothing."""
        match event:
            case OrdersAnonymised():
                return self if self.orders_anonymised_at else replace(self, orders_anonymised_at=at)
            case MailsAnonymised():
                return self if self.mails_anonymised_at else replace(self, mails_anonymised_at=at)

    @property
    def done(self) -> bool:
        """Whether every service has acknowledged."""
        return self.orders_anonymised_at is not None and self.mails_anonymised_at is not None
