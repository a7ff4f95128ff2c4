"""Changing and resetting passwords."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from chassis.http.errors import NotFound
from customer_svc.accounts.commands import account_by_email, existing_account, prefetch_by_email, update_account
from customer_svc.errors import LinkInvalid, WrongPassword
from customer_svc.links.commands import add_link, contest, use_link
from customer_svc.links.domain import NewLink
from customer_svc.passwords.domain import request_reset, set_password
from customer_svc.unit_of_work import CustomerUnitOfWork


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Set another password after the current one was checked."""

    errors: ClassVar = (WrongPassword, NotFound)
    account_id: UUID
    checked_hash: str
    """The password hash that the current password was checked against."""
    password_hash: str

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account."""
        uow.accounts.prefetch(self.account_id)

    def execute(self, uow: CustomerUnitOfWork) -> None:
        """Refuse the change if the password was changed since it was checked."""
        account = existing_account(uow, self.account_id)
        if account.password_hash != self.checked_hash:
            raise WrongPassword
        update_account(uow, *set_password(account, self.password_hash, "changed", uow.now))


@dataclass(frozen=True, slots=True)
class RequestPasswordReset:
    """Have a link mailed that resets the password, if a customer has this e-mail address.

    While the address is not verified, its reader has to say first that it is theirs, and gets the link that verifies
    it.
    """

    email: str
    reset: NewLink
    verify: NewLink

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account that may have the e-mail address."""
        prefetch_by_email(uow, self.email)

    def execute(self, uow: CustomerUnitOfWork) -> None:
        """Store the link and publish the request, unless one was made a moment ago."""
        account = account_by_email(uow, self.email)
        if account is None or account.role != "customer":
            return
        if account.verified_at is None:
            contest(uow, account, self.verify)
            return
        link = self.reset.issue(account.id, "reset", uow.now, account.epoch)
        if requested := request_reset(account, link.mailed, uow.now):
            update_account(uow, *requested)
            add_link(uow, link)


@dataclass(frozen=True, slots=True)
class ResetPassword:
    """Set another password with the token of a mailed link."""

    errors: ClassVar = (LinkInvalid,)
    account_id: UUID
    token_hash: str
    password_hash: str

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account and the link."""
        uow.accounts.prefetch(self.account_id)
        uow.links.prefetch(self.token_hash)

    def execute(self, uow: CustomerUnitOfWork) -> None:
        """Use the link, unless the password was changed since: a thief may have requested the link."""
        account = use_link(uow, self.account_id, self.token_hash, "reset")
        update_account(uow, *set_password(account, self.password_hash, "reset", uow.now))
