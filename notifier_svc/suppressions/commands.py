"""Suppressing addresses, and sending to them again."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from notifier_svc.errors import SuppressionNotFound
from notifier_svc.replicas.commands import is_erased
from notifier_svc.suppressions.domain import Suppression
from notifier_svc.unit_of_work import NotifierUnitOfWork


@dataclass(frozen=True, slots=True)
class SuppressAddress:
    """Send nothing more to an address of a customer."""

    email: str
    customer_id: UUID
    mail_id: UUID
    reason: str

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The suppression, and the customer."""
        uow.suppressions.prefetch(self.email)
        uow.customers.prefetch(self.customer_id)

    def execute(self, uow: NotifierUnitOfWork) -> None:
        """The address of an erased customer is not stored, also not here."""
        if uow.suppressions.get(self.email) is None and not is_erased(uow, self.customer_id):
            uow.suppressions.set(self.email, Suppression(self.email, self.mail_id, self.reason, uow.now))


@dataclass(frozen=True, slots=True)
class UnsuppressAddress:
    """Send to an address again, from now on."""

    errors: ClassVar = (SuppressionNotFound,)

    suppression: Suppression
    """As it was read: one that was made since, by another mail, stays."""

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The suppression."""
        uow.suppressions.prefetch(self.suppression.email)

    def execute(self, uow: NotifierUnitOfWork) -> None:
        """Raise ``SuppressionNotFound`` if it was removed or replaced meanwhile."""
        known = uow.suppressions.get(self.suppression.email)
        if known is None or known.mail_id != self.suppression.mail_id:
            raise SuppressionNotFound
        uow.suppressions.set(self.suppression.email, None)
