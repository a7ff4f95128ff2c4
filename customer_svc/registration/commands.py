"""Registering customers, and verifying their e-mail addresses."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from chassis.http.errors import NotFound
from customer_svc.accounts.commands import (
    account_by_email,
    add_account,
    existing_account,
    prefetch_by_email,
    update_account,
)
from customer_svc.accounts.domain import MAIL_INTERVAL, Account
from customer_svc.errors import AlreadyVerified, LinkInvalid, TooSoon
from customer_svc.links.commands import add_link
from customer_svc.links.domain import NewLink
from customer_svc.registration.domain import new_customer, request_verification, verify_email, warn_of_registration
from customer_svc.unit_of_work import CustomerUnitOfWork


@dataclass(frozen=True, slots=True)
class RegisterAccount:
    """Open a customer's account; if there is one with this e-mail address, warn its owner instead."""

    account_id: UUID
    email: str
    name: str
    password_hash: str
    verify: NewLink
    locale: str

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account that may have the e-mail address."""
        prefetch_by_email(uow, self.email)

    def execute(self, uow: CustomerUnitOfWork) -> None:
        """Write a row in either case: a faster transaction would reveal that there is an account."""
        if existing := account_by_email(uow, self.email):
            self._warn_owner(uow, existing)
        else:
            self._open(uow)

    def _warn_owner(self, uow: CustomerUnitOfWork, account: Account) -> None:
        warned = warn_of_registration(account, uow.now)
        update_account(uow, *(warned or (account, None)))

    def _open(self, uow: CustomerUnitOfWork) -> None:
        link = self.verify.issue(self.account_id, "verify", uow.now)
        account, registered = new_customer(
            self.account_id, self.email, self.name, self.password_hash, link.mailed, self.locale, uow.now
        )
        add_account(uow, account, registered)
        add_link(uow, link)


@dataclass(frozen=True, slots=True)
class RequestVerificationMail:
    """Have another link mailed that verifies the e-mail address."""

    errors: ClassVar = (NotFound, AlreadyVerified, TooSoon)
    account_id: UUID
    verify: NewLink

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account."""
        uow.accounts.prefetch(self.account_id)

    def execute(self, uow: CustomerUnitOfWork) -> None:
        """Store the link, and publish the request."""
        account = existing_account(uow, self.account_id)
        if account.verified_at:
            raise AlreadyVerified
        link = self.verify.issue(account.id, "verify", uow.now)
        requested = request_verification(account, link.mailed, uow.now)
        if requested is None:
            raise TooSoon(retry_after=int(MAIL_INTERVAL.total_seconds()))
        update_account(uow, *requested)
        add_link(uow, link)


@dataclass(frozen=True, slots=True)
class VerifyEmail:
    """Verify the e-mail address of an account with the token of a mailed link."""

    errors: ClassVar = (LinkInvalid,)
    account_id: UUID
    token_hash: str

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account and the link."""
        uow.accounts.prefetch(self.account_id)
        uow.links.prefetch(self.token_hash)

    def execute(self, uow: CustomerUnitOfWork) -> None:
        """Use the link."""
        account, link = uow.accounts.get(self.account_id), uow.links.get(self.token_hash)
        used = link.use("verify", uow.now) if link else None
        if account is None or used is None:
            raise LinkInvalid
        uow.links.set(self.token_hash, used)
        if verified := verify_email(account, uow.now):
            update_account(uow, *verified)
