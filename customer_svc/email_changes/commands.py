"""Requesting, confirming and reverting a change of the e-mail address.

Each locks the account, so that of two changes, or of a change and a deactivation or erasure, one comes first. The
links of the other are void then: they belong to an epoch of the account that is over.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from chassis.http.errors import NotFound
from customer_svc.accounts.commands import (
    account_by_email,
    existing_account,
    holder_of_email,
    prefetch_holder,
    update_account,
)
from customer_svc.accounts.domain import Account
from customer_svc.email_changes.domain import change_email, may_be_the_takers, request_change, revert_change
from customer_svc.erasure.commands import erase_account
from customer_svc.errors import (
    AccountDeactivated,
    EmailUnchanged,
    LinkInvalid,
    TotpRequired,
    WrongCode,
    WrongPassword,
)
from customer_svc.links.commands import add_link, use_link, void_links
from customer_svc.links.domain import Link, NewLink
from customer_svc.totp.commands import accept_code
from customer_svc.unit_of_work import CustomerUnitOfWork


@dataclass(frozen=True, slots=True)
class RequestEmailChange:
    """Have a link mailed to a new address, after the password was checked; it replaces a link to another one."""

    errors: ClassVar = (WrongPassword, WrongCode, TotpRequired, AccountDeactivated, EmailUnchanged, NotFound)
    account_id: UUID
    checked_hash: str
    """The password hash that the password was checked against."""
    email: str
    """In its one spelling."""
    link: NewLink
    code: str | None
    """A one-time code or a recovery code, for accounts that have them."""

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account with its one-time codes, and the account that may have the new address."""
        uow.accounts.prefetch(self.account_id)
        uow.totps.prefetch(self.account_id)
        prefetch_holder(uow, self.email)

    def execute(self, uow: CustomerUnitOfWork) -> None:
        """Do the same whether or not the address is taken, but for the link: only the mail tells."""
        account = existing_account(uow, self.account_id)
        if account.password_hash != self.checked_hash:
            raise WrongPassword
        if not accept_code(uow, account.id, self.code):
            raise TotpRequired
        link = self.link.issue(account.id, "change", uow.now, account.epoch, email=self.email)
        changed, event = request_change(
            account, self.email, link.mailed, taken=_is_taken(uow, account, self.email), now=uow.now
        )
        update_account(uow, changed, event)
        void_links(uow, account.id, "change")
        if not event.taken:
            add_link(uow, link)


@dataclass(frozen=True, slots=True)
class ConfirmEmailChange:
    """Change the address, with the token of the link that was mailed to the new one."""

    errors: ClassVar = (LinkInvalid,)
    link: Link
    """As it was read; what counts is how it is when it is used."""
    revert: NewLink
    """The link for the old address."""
    period: timedelta
    """How long that link is valid."""
    erasure_id: UUID
    """For an account that nobody has proved to be theirs, and that has the new address."""

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account, the link, and the account that may have the new address."""
        _prefetch(uow, self.link)

    def execute(self, uow: CustomerUnitOfWork) -> None:
        """Use the link, unless the epoch is over, or somebody else has proved the address to be theirs."""
        account = use_link(uow, self.link.account_id, self.link.token_hash, "change")
        email = _email_of(self.link)
        _make_room(uow, account, email, self.erasure_id)
        revert = self.revert.issue(
            account.id, "revert", uow.now, account.epoch + 1, email=account.email, validity=self.period
        )
        update_account(uow, *change_email(account, email, revert.mailed, uow.now))
        uow.ids_by_email.set(email, account.id)
        add_link(uow, revert)


@dataclass(frozen=True, slots=True)
class RevertEmailChange:
    """Give the account its old address back, with the token of the link that was mailed there.

    Nothing stays with the one who changed it: sessions, links, password, and one-time codes that may be theirs. Later
    changes end with it; earlier ones can still be reverted.
    """

    errors: ClassVar = (LinkInvalid,)
    link: Link
    """As it was read; what counts is how it is when it is used."""
    password_hash: str
    """The account's from now on."""
    period: timedelta
    """How long before the change one-time codes are set up that may be the thief's."""
    erasure_id: UUID
    """For an account that nobody has proved to be theirs, and that has the old address."""

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account with its one-time codes, the link, and the account that may have the old address."""
        _prefetch(uow, self.link)
        uow.totps.prefetch(self.link.account_id)

    def execute(self, uow: CustomerUnitOfWork) -> None:
        """Also for a deactivated account, which stays deactivated."""
        account = use_link(uow, self.link.account_id, self.link.token_hash, "revert")
        email = _email_of(self.link)
        if account.email == email:
            raise LinkInvalid
        _make_room(uow, account, email, self.erasure_id)
        for version, event in revert_change(account, email, self.password_hash, uow.now):
            update_account(uow, version, event)
        uow.ids_by_email.set(email, account.id)
        void_links(uow, account.id, "revert", self.link.epoch)
        totp = uow.totps.get(account.id)
        if totp and may_be_the_takers(totp, self.link.made_at, self.period):
            uow.totps.set(account.id, None)


def _prefetch(uow: CustomerUnitOfWork, link: Link) -> None:
    uow.accounts.prefetch(link.account_id)
    uow.links.prefetch(link.token_hash)
    prefetch_holder(uow, _email_of(link))


def _email_of(link: Link) -> str:
    assert link.email, "links to change an address have one"
    return link.email


def _is_taken(uow: CustomerUnitOfWork, account: Account, email: str) -> bool:
    """Whether another account has the address, and its owner has proved that, or can go back to it."""
    holder = holder_of_email(uow, email)
    return holder is not None and holder.id != account.id and holder.verified_at is not None


def _make_room(uow: CustomerUnitOfWork, account: Account, email: str, erasure_id: UUID) -> None:
    """Erase an account that nobody has proved to be theirs: the one who has the link has. Raise ``LinkInvalid``."""
    if _is_taken(uow, account, email):
        raise LinkInvalid
    unproved = account_by_email(uow, email)
    if unproved and unproved.id != account.id:
        erase_account(uow, unproved, erasure_id, requested=False)
