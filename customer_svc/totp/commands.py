"""Enrolling, confirming and removing one-time codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from customer_svc.accounts.domain import Account
from customer_svc.errors import AccountNotFound, TotpEnrolled, TotpNotEnrolled, WrongCode, WrongCredentials
from customer_svc.totp.domain import Totp, is_confirmed
from customer_svc.unit_of_work import CustomerUnitOfWork


@dataclass(frozen=True, slots=True)
class EnrolTotp:
    """Begin to use one-time codes, after the password was checked; they count once a first one confirmed them."""

    errors: ClassVar = (WrongCredentials, TotpEnrolled)
    account_id: UUID
    checked_hash: str
    """The password hash that the password was checked against."""
    secret: str

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account and its second factor."""
        _prefetch(uow, self.account_id)

    def execute(self, uow: CustomerUnitOfWork) -> Totp:
        """Store the secret, in place of one that was not confirmed."""
        account = _checked_account(uow, self.account_id, self.checked_hash)
        if is_confirmed(uow.totps.get(account.id)):
            raise TotpEnrolled
        totp = Totp(account.id, self.secret, uow.now)
        uow.totps.set(account.id, totp)
        return totp


@dataclass(frozen=True, slots=True)
class ConfirmTotp:
    """Require one-time codes from now on, after a first one has proved that the app has the secret."""

    errors: ClassVar = (WrongCredentials, WrongCode, TotpEnrolled, TotpNotEnrolled)
    account_id: UUID
    checked_hash: str
    """The password hash that the password was checked against."""
    code: str
    recovery_codes: Sequence[str]

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account and its second factor."""
        _prefetch(uow, self.account_id)

    def execute(self, uow: CustomerUnitOfWork) -> None:
        """End all sessions as well: they were opened without a code."""
        account = _checked_account(uow, self.account_id, self.checked_hash)
        totp = uow.totps.get(account.id)
        if totp is None:
            raise TotpNotEnrolled
        if totp.confirmed_at:
            raise TotpEnrolled
        uow.totps.set(account.id, totp.confirm(self.code, self.recovery_codes, uow.now))
        uow.accounts.set(account.id, account.end_sessions(uow.now))


@dataclass(frozen=True, slots=True)
class RemoveTotp:
    """Stop using one-time codes, with one of them and after the password was checked."""

    errors: ClassVar = (WrongCredentials, WrongCode, TotpNotEnrolled)
    account_id: UUID
    checked_hash: str
    """The password hash that the password was checked against."""
    code: str

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account and its second factor."""
        _prefetch(uow, self.account_id)

    def execute(self, uow: CustomerUnitOfWork) -> None:
        """Delete the secret and the recovery codes."""
        account = _checked_account(uow, self.account_id, self.checked_hash)
        totp = uow.totps.get(account.id)
        if totp is None or totp.confirmed_at is None:
            raise TotpNotEnrolled
        totp.accept(self.code, uow.now)
        uow.totps.set(account.id, None)


@dataclass(frozen=True, slots=True)
class RemoveTotpForOwner:
    """Remove the one-time codes of somebody who has lost the app and the recovery codes; for ops."""

    errors: ClassVar = (AccountNotFound, TotpNotEnrolled)
    account_id: UUID

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account and its second factor."""
        _prefetch(uow, self.account_id)

    def execute(self, uow: CustomerUnitOfWork) -> None:
        """Delete the secret and the recovery codes, and end all sessions: a thief of the app may have one."""
        account = uow.accounts.get(self.account_id)
        if account is None:
            raise AccountNotFound
        if uow.totps.get(account.id) is None:
            raise TotpNotEnrolled
        uow.totps.set(account.id, None)
        uow.accounts.set(account.id, account.end_sessions(uow.now))


def accept_code(uow: CustomerUnitOfWork, account_id: UUID, code: str | None) -> bool:
    """Whether the account needs no code, or this is one, which is used then; raise ``WrongCode``."""
    totp = uow.totps.get(account_id)
    if totp is None or totp.confirmed_at is None:
        return True
    if code is None:
        return False
    uow.totps.set(account_id, totp.accept(code, uow.now))
    return True


def _prefetch(uow: CustomerUnitOfWork, account_id: UUID) -> None:
    uow.accounts.prefetch(account_id)
    uow.totps.prefetch(account_id)


def _checked_account(uow: CustomerUnitOfWork, account_id: UUID, checked_hash: str) -> Account:
    """The account; raise ``WrongCredentials`` if the password was changed since it was checked."""
    account = uow.accounts.get(account_id)
    if account is None or account.password_hash != checked_hash:
        raise WrongCredentials
    return account
