"""Deactivating and reactivating accounts; and what the commands of other nouns do with an account."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from chassis.email_address import normalised_email
from chassis.http.errors import NotFound
from chassis.http.preconditions import ANY, PreconditionFailed, unchanged_since
from customer_svc.accounts.domain import Account, Actor
from customer_svc.errors import AccountDeactivated, AlreadyActive, AlreadyDeactivated, CustomerNotFound
from customer_svc.unit_of_work import CustomerUnitOfWork
from schemas import Event


@dataclass(frozen=True, slots=True)
class DeactivateAccount:
    """Deactivate a customer's account, which ends its sessions."""

    errors: ClassVar = (CustomerNotFound, AlreadyDeactivated, PreconditionFailed)
    account_id: UUID
    by: Actor
    if_match: str = ANY

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account."""
        uow.accounts.prefetch(self.account_id)

    def execute(self, uow: CustomerUnitOfWork) -> Account:
        """Return the deactivated account."""
        customer = existing_customer(uow, self.account_id)
        unchanged_since(self.if_match, customer.version)
        account, event = customer.deactivate(self.by, uow.now)
        update_account(uow, account, event)
        return account


@dataclass(frozen=True, slots=True)
class ReactivateAccount:
    """Reactivate a customer's account."""

    errors: ClassVar = (CustomerNotFound, AlreadyActive, AccountDeactivated, PreconditionFailed)
    account_id: UUID
    by: Actor
    if_match: str = ANY

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account."""
        uow.accounts.prefetch(self.account_id)

    def execute(self, uow: CustomerUnitOfWork) -> Account:
        """Return the active account."""
        customer = existing_customer(uow, self.account_id)
        unchanged_since(self.if_match, customer.version)
        account, event = customer.reactivate(self.by, uow.now)
        update_account(uow, account, event)
        return account


def prefetch_by_email(uow: CustomerUnitOfWork, email: str) -> None:
    """Load the account with an e-mail address, in any spelling."""
    uow.ids_by_email.prefetch(normalised_email(email))


def prefetch_holder(uow: CustomerUnitOfWork, email: str) -> None:
    """Load the account that keeps an e-mail address, in any spelling: it has it, or can go back to it."""
    prefetch_by_email(uow, email)
    uow.ids_by_former_email.prefetch(normalised_email(email))


def account_by_email(uow: CustomerUnitOfWork, email: str) -> Account | None:
    """The account with an e-mail address, in any spelling."""
    account_id = uow.ids_by_email.get(normalised_email(email))
    account = uow.accounts.get(account_id) if account_id else None
    # Its address may have changed between the two.
    return account if account and account.email == normalised_email(email) else None


def holder_of_email(uow: CustomerUnitOfWork, email: str) -> Account | None:
    """The account that keeps an e-mail address: it has it, had it a moment ago, or can go back to it."""
    for ids in (uow.ids_by_email, uow.ids_by_former_email):
        account_id = ids.get(normalised_email(email))
        if account_id and (account := uow.accounts.get(account_id)):
            return account
    return None


def existing_account(uow: CustomerUnitOfWork, account_id: UUID) -> Account:
    """The account; raise ``NotFound``."""
    account = uow.accounts.get(account_id)
    if account is None:
        raise NotFound
    return account


def existing_customer(uow: CustomerUnitOfWork, account_id: UUID) -> Account:
    """The account of a customer; raise ``CustomerNotFound``, also for a member of staff."""
    account = uow.accounts.get(account_id)
    if account is None or account.role != "customer":
        raise CustomerNotFound
    return account


def add_account(uow: CustomerUnitOfWork, account: Account, event: Event | None) -> None:
    """Store a new account, and publish the event if it is a customer's."""
    uow.accounts.mark_new(account.id)
    uow.ids_by_email.set(account.email, account.id)
    update_account(uow, account, event)


def update_account(uow: CustomerUnitOfWork, account: Account, event: Event | None) -> None:
    """Store the new version of an account, and publish the event if it is a customer's."""
    uow.accounts.set(account.id, account)
    if event and account.role == "customer":
        uow.emit(event, account.version, account.changed_at)
