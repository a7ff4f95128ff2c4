"""Sessions and the passwords that open them."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from customer_svc.commands.accounts import account_at, existing, put, put_link
from customer_svc.domain.account import Account
from customer_svc.domain.link import NewLink, made
from customer_svc.domain.session import Family, RefreshToken, Session
from customer_svc.errors import AccountDeactivated, LinkSpent, WrongCredentials, WrongPassword
from customer_svc.store import Accounts


def want_family(unit: Accounts, family: Family) -> None:
    """Wants a refresh token, its session and its account."""
    unit.accounts.prefetch(family.account_id)
    unit.sessions.prefetch(family.session_id)
    unit.tokens.prefetch(family.token_hash)


def start_session(
    unit: Accounts, account_id: UUID, password_hash: str, session_id: UUID, token_hash: str, seconds: int
) -> Account:
    """Begin a session for whoever knew the password; raise ``WrongCredentials`` where it was changed meanwhile.

    Whoever put the own account out of use may log in to come back; raise ``AccountDeactivated`` where staff did it.
    """
    account = unit.accounts.get(account_id)
    if account is None or account.password_hash != password_hash:
        raise WrongCredentials
    if account.deactivated_by == "staff":
        raise AccountDeactivated
    ends_at = unit.now + timedelta(seconds=seconds)
    unit.sessions.mark_new(session_id)
    unit.sessions.set(session_id, Session(session_id, account.id, account.epoch, unit.now, ends_at))
    _put_token(unit, RefreshToken(token_hash, session_id, account.id, unit.now))
    return account


def refresh_session(unit: Accounts, family: Family, next_hash: str) -> tuple[Account, int] | None:
    """Put the next token in the place of this one, and say how many seconds are left.

    None where it is good for nothing. That is no error: a token that comes again ends the session, and an error
    would take that back.
    """
    account, session = unit.accounts.get(family.account_id), unit.sessions.get(family.session_id)
    token = unit.tokens.get(family.token_hash)
    if account is None or session is None or token is None or session.over(account, unit.now):
        return None
    if token.used_at:
        unit.sessions.set(session.id, session.end(unit.now))
        return None
    unit.tokens.set(token.token_hash, replace(token, used_at=unit.now))
    _put_token(unit, RefreshToken(next_hash, session.id, account.id, unit.now))
    return account, session.seconds_left(unit.now)


def end_session(unit: Accounts, family: Family) -> None:
    """Log out; a session that is over or gone stays so."""
    if session := unit.sessions.get(family.session_id):
        unit.sessions.set(session.id, session.end(unit.now))


def change_password(unit: Accounts, account_id: UUID, known_hash: str, password_hash: str) -> None:
    """Give an account another password; raise ``WrongPassword`` where the known one is not its any more."""
    account = existing(unit, account_id)
    if account.password_hash != known_hash:
        raise WrongPassword
    put(unit, *account.set_password(password_hash, "changed", unit.now))


def ask_to_reset(unit: Accounts, email: str, reset: NewLink) -> None:
    """Mail a link with which a password can be set, if a customer has this address and asked for none just now."""
    account = account_at(unit, email)
    if account is None or account.role != "customer":
        return
    link = made(reset, account.id, "reset", unit.now, account.epoch)
    if asked := account.ask_to_reset(link.mailed, unit.now):
        put(unit, *asked)
        put_link(unit, link)


def reset_password(unit: Accounts, token_hash: str, account_id: UUID, password_hash: str) -> None:
    """Set a password with the token of a mailed link; raise ``LinkSpent``."""
    account, link = unit.accounts.get(account_id), unit.links.get(token_hash)
    used = link.use("reset", unit.now) if link else None
    # A password that was set since then has ended the link too: it may have been asked for by a thief.
    if account is None or used is None or used.epoch != account.epoch:
        raise LinkSpent
    unit.links.set(token_hash, used)
    put(unit, *account.set_password(password_hash, "reset", unit.now))


def _put_token(unit: Accounts, token: RefreshToken) -> None:
    unit.tokens.mark_new(token.token_hash)
    unit.tokens.set(token.token_hash, token)
