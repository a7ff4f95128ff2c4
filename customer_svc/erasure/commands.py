"""Erasing customers."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from chassis.messaging.handlers import OnRepeat
from customer_svc.accounts.commands import existing_customer
from customer_svc.accounts.domain import Account
from customer_svc.erasure.domain import Acknowledgement, Erasure
from customer_svc.errors import CustomerNotFound, WrongPassword
from customer_svc.unit_of_work import CustomerUnitOfWork
from schemas import CustomerErased, Envelope


@dataclass(frozen=True, slots=True)
class RequestErasure:
    """Delete a customer's account, and have the other services anonymise what they store about the customer."""

    errors: ClassVar = (WrongPassword, CustomerNotFound)
    account_id: UUID
    checked_hash: str
    """The password hash that the password was checked against."""
    erasure_id: UUID

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account."""
        uow.accounts.prefetch(self.account_id)

    def execute(self, uow: CustomerUnitOfWork) -> Erasure:
        """Refuse the erasure if the password was changed since it was checked."""
        account = existing_customer(uow, self.account_id)
        if account.password_hash != self.checked_hash:
            raise WrongPassword
        return erase_account(uow, account, self.erasure_id)


@dataclass(frozen=True, slots=True)
class HandleAcknowledgement:
    """Note that a service has anonymised a customer's data."""

    on_repeat: ClassVar[OnRepeat] = "converge"
    envelope: Envelope[Acknowledgement]

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the erasure of the customer."""
        uow.erasures.prefetch(self.envelope.event.customer_id)

    def execute(self, uow: CustomerUnitOfWork) -> None:
        """Fail if the customer was not erased: that makes the event a dead letter. A repeated one changes nothing."""
        event = self.envelope.event
        erasure = uow.erasures.get(event.customer_id)
        if erasure is None:
            raise LookupError(f"customer {event.customer_id} was not erased")
        acknowledged = erasure.acknowledge(event, uow.now)
        if acknowledged != erasure:
            uow.erasures.set(event.customer_id, acknowledged)


def erase_account(uow: CustomerUnitOfWork, account: Account, erasure_id: UUID, *, requested: bool = True) -> Erasure:
    """Delete an account, and have the other services anonymise what they store about the customer.

    Only an erasure that was ``requested`` is confirmed by mail.
    """
    last = account.next_version(uow.now)
    erasure = Erasure(account.id, erasure_id, last.version, last.changed_at)
    uow.erasures.mark_new(account.id)
    uow.erasures.set(account.id, erasure)
    uow.accounts.set(account.id, None)
    uow.emit(CustomerErased(customer_id=account.id, requested=requested), last.version, last.changed_at)
    return erasure
