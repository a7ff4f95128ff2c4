"""Giving accounts to staff."""

from dataclasses import dataclass
from uuid import UUID

from customer_svc.accounts.commands import account_by_email, add_account, prefetch_by_email
from customer_svc.accounts.domain import Account
from customer_svc.staff.domain import StaffRole, new_staff_account
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
        prefetch_by_email(uow, self.email)

    def execute(self, uow: CustomerUnitOfWork) -> Account:
        """Return the new or existing account."""
        if existing := account_by_email(uow, self.email):
            return existing
        account = new_staff_account(self.account_id, self.email, self.name, self.password_hash, self.role, uow.now)
        add_account(uow, account, None)
        return account
