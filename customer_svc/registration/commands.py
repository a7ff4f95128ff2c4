"""Registering customers, and verifying their e-mail addresses."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from chassis.email_address import normalised_email
from customer_svc.accounts.commands import add_account, holder_of_email, prefetch_holder, update_account
from customer_svc.accounts.domain import Account
from customer_svc.errors import LinkInvalid, RegistrationContested
from customer_svc.links.commands import add_link, contest, use_link
from customer_svc.links.domain import NewLink
from customer_svc.registration.domain import Owner, new_customer, verify_email, warn_of_registration
from customer_svc.unit_of_work import CustomerUnitOfWork


@dataclass(frozen=True, slots=True)
class RegisterAccount:
    """Open a customer's account.

    If there is one with this e-mail address, warn its owner instead; or, while the address is not verified, have
    another link mailed. An address that an account can go back to stays that account's, and nobody gets a mail.
    """

    account_id: UUID
    email: str
    name: str
    password_hash: str
    verify: NewLink
    locale: str

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account that may have the e-mail address."""
        prefetch_holder(uow, self.email)

    def execute(self, uow: CustomerUnitOfWork) -> None:
        """Write a row in every case: a faster transaction would reveal that there is an account."""
        existing = holder_of_email(uow, self.email)
        if existing is None:
            self._open(uow)
        elif existing.verified_at:
            self._warn_owner(uow, existing)
        else:
            contest(uow, existing, self.verify)

    def _warn_owner(self, uow: CustomerUnitOfWork, account: Account) -> None:
        # A mail would go to the account's address, about another that is perhaps not its owner's any more.
        has_it = account.email == normalised_email(self.email)
        warned = warn_of_registration(account, uow.now) if has_it else None
        update_account(uow, *(warned or (account, None)))

    def _open(self, uow: CustomerUnitOfWork) -> None:
        link = self.verify.issue(self.account_id, "verify", uow.now)
        account, registered = new_customer(
            self.account_id, self.email, self.name, self.password_hash, link.mailed, self.locale, uow.now
        )
        add_account(uow, account, registered)
        add_link(uow, link)


@dataclass(frozen=True, slots=True)
class VerifyEmail:
    """Verify the e-mail address of an account with the token of a mailed link."""

    errors: ClassVar = (LinkInvalid, RegistrationContested)
    account_id: UUID
    token_hash: str
    owner: Owner | None

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account and the link."""
        uow.accounts.prefetch(self.account_id)
        uow.links.prefetch(self.token_hash)

    def execute(self, uow: CustomerUnitOfWork) -> None:
        """Use the link."""
        account = use_link(uow, self.account_id, self.token_hash, "verify")
        for version, event in verify_email(account, self.owner, uow.now):
            update_account(uow, version, event)
