"""Opening, refreshing and ending sessions."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar, Literal
from uuid import UUID

from chassis.http.errors import NotFound
from customer_svc.accounts.commands import existing_account
from customer_svc.accounts.domain import Account, Role
from customer_svc.errors import AccountDeactivated, TotpEnrolmentRequired, TotpRequired, WrongCode, WrongCredentials
from customer_svc.sessions.domain import RefreshToken, Session, TokenOwner
from customer_svc.totp.commands import accept_code
from customer_svc.totp.domain import is_confirmed
from customer_svc.unit_of_work import CustomerUnitOfWork


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Begin a session after the password was checked.

    Customers who deactivated their own account can log in to reactivate it; if staff or ops did it, nobody can.
    """

    errors: ClassVar = (WrongCredentials, WrongCode, TotpRequired, TotpEnrolmentRequired, AccountDeactivated)
    account_id: UUID
    checked_hash: str
    """The password hash that the password was checked against."""
    session_id: UUID
    token_hash: str
    seconds: int
    code: str | None = None
    """A one-time code or a recovery code, for accounts that need one."""
    totp_roles: Collection[Role] = ()
    """The roles whose accounts need one-time codes."""

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account, and its one-time codes."""
        uow.accounts.prefetch(self.account_id)
        uow.totps.prefetch(self.account_id)

    def execute(self, uow: CustomerUnitOfWork) -> Account | None:
        """Return the account; None if its one-time code is missing, which is no wrong attempt.

        Refuse the log-in if the password was changed since it was checked.
        """
        account = uow.accounts.get(self.account_id)
        if account is None or account.password_hash != self.checked_hash:
            raise WrongCredentials
        if account.deactivated_by in ("staff", "ops"):
            raise AccountDeactivated
        if account.role in self.totp_roles and not is_confirmed(uow.totps.get(account.id)):
            raise TotpEnrolmentRequired
        if not accept_code(uow, account.id, self.code):
            return None
        ends_at = uow.now + timedelta(seconds=self.seconds)
        uow.sessions.mark_new(self.session_id)
        uow.sessions.set(self.session_id, Session(self.session_id, account.id, account.epoch, uow.now, ends_at))
        _add_token(uow, RefreshToken(self.token_hash, self.session_id, account.id, uow.now))
        return account


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A session that goes on."""

    account: Account
    seconds_left: int


@dataclass(frozen=True, slots=True)
class RefreshSession:
    """Replace a refresh token by the next."""

    token: TokenOwner
    next_hash: str
    totp_roles: Collection[Role] = ()
    """The roles whose accounts need one-time codes."""

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the token, its session, its account, and the account's one-time codes."""
        _prefetch_token(uow, self.token)
        if self.totp_roles:
            uow.totps.prefetch(self.token.account_id)

    def execute(self, uow: CustomerUnitOfWork) -> Refreshed | Literal["invalid", "reused"]:
        """Return the account and how many seconds the session has left, or why the token is not valid.

        That is not an error, because a token that is used again ends the session, and an error would undo that.
        """
        account, session = uow.accounts.get(self.token.account_id), uow.sessions.get(self.token.session_id)
        token = uow.refresh_tokens.get(self.token.token_hash)
        if account is None or session is None or token is None or session.is_over(account, uow.now):
            return "invalid"
        if token.used_at:
            uow.sessions.set(session.id, session.end(uow.now))
            return "reused"
        if account.role in self.totp_roles and not is_confirmed(uow.totps.get(account.id)):
            return "invalid"
        uow.refresh_tokens.set(token.token_hash, replace(token, used_at=uow.now))
        _add_token(uow, RefreshToken(self.next_hash, session.id, account.id, uow.now))
        return Refreshed(account, session.seconds_left(uow.now))


@dataclass(frozen=True, slots=True)
class EndSession:
    """Log out."""

    token: TokenOwner

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the token, its session and its account."""
        _prefetch_token(uow, self.token)

    def execute(self, uow: CustomerUnitOfWork) -> None:
        """End the session, unless it has ended."""
        if session := uow.sessions.get(self.token.session_id):
            uow.sessions.set(session.id, session.end(uow.now))


@dataclass(frozen=True, slots=True)
class EndAllSessions:
    """Log out everywhere."""

    errors: ClassVar = (NotFound,)
    account_id: UUID

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account."""
        uow.accounts.prefetch(self.account_id)

    def execute(self, uow: CustomerUnitOfWork) -> None:
        """Begin another epoch."""
        uow.accounts.set(self.account_id, existing_account(uow, self.account_id).end_sessions(uow.now))


def _prefetch_token(uow: CustomerUnitOfWork, token: TokenOwner) -> None:
    uow.accounts.prefetch(token.account_id)
    uow.sessions.prefetch(token.session_id)
    uow.refresh_tokens.prefetch(token.token_hash)


def _add_token(uow: CustomerUnitOfWork, token: RefreshToken) -> None:
    uow.refresh_tokens.mark_new(token.token_hash)
    uow.refresh_tokens.set(token.token_hash, token)
