"""Giving accounts to staff and ops, and taking them away."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from customer_svc.accounts.commands import add_account, holder_of_email, prefetch_holder
from customer_svc.accounts.domain import Account
from customer_svc.errors import AlreadyActive, AlreadyDeactivated, LastOpsAccount, StaffAccountNotFound
from customer_svc.staff.domain import (
    STAFF_ROLES,
    StaffRole,
    deactivate_staff,
    new_staff_account,
    reactivate_staff,
)
from customer_svc.unit_of_work import CustomerUnitOfWork


@dataclass(frozen=True, slots=True)
class AppointStaff:
    """Give a member of staff an account with a role; an existing account with the e-mail address stays as it is."""

    account_id: UUID
    email: str
    name: str
    password_hash: str
    role: StaffRole

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account that may have the e-mail address."""
        prefetch_holder(uow, self.email)

    def execute(self, uow: CustomerUnitOfWork) -> Account:
        """Return the new account, or the one that keeps the e-mail address: it has it, or can go back to it."""
        if existing := holder_of_email(uow, self.email):
            return existing
        account = new_staff_account(self.account_id, self.email, self.name, self.password_hash, self.role, uow.now)
        add_account(uow, account, None)
        return account


@dataclass(frozen=True, slots=True)
class DeactivateStaff:
    """Deactivate an account of staff or ops, which ends its sessions; one account of ops stays active."""

    errors: ClassVar = (StaffAccountNotFound, AlreadyDeactivated, LastOpsAccount)
    account_id: UUID
    ops_ids: Sequence[UUID]
    """The accounts of ops. They are locked: two of them cannot deactivate each other at the same time."""

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account, and all accounts of ops."""
        uow.accounts.prefetch(self.account_id, *self.ops_ids)

    def execute(self, uow: CustomerUnitOfWork) -> Account:
        """Return the deactivated account."""
        ops = [account for one in self.ops_ids if (account := uow.accounts.get(one))]
        account = deactivate_staff(_staff_account(uow, self.account_id), ops, uow.now)
        uow.accounts.set(account.id, account)
        return account


@dataclass(frozen=True, slots=True)
class ReactivateStaff:
    """Reactivate an account of staff or ops."""

    errors: ClassVar = (StaffAccountNotFound, AlreadyActive)
    account_id: UUID

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account."""
        uow.accounts.prefetch(self.account_id)

    def execute(self, uow: CustomerUnitOfWork) -> Account:
        """Return the active account."""
        account = reactivate_staff(_staff_account(uow, self.account_id), uow.now)
        uow.accounts.set(account.id, account)
        return account


def _staff_account(uow: CustomerUnitOfWork, account_id: UUID) -> Account:
    account = uow.accounts.get(account_id)
    if account is None or account.role not in STAFF_ROLES:
        raise StaffAccountNotFound
    return account
