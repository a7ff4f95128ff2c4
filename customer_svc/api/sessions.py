"""Logging in, staying so, and logging out."""

import secrets

from fastapi import status
from uuid_utils.compat import uuid7

from chassis.http.auth import Principal
from chassis.http.routing import new_router, problems
from customer_svc import queries
from customer_svc.api.needs import Address
from customer_svc.commands.sessions import end_session, refresh_session, start_session, want_family
from customer_svc.container import Commit, Database, Hashing, Issuing, RefreshSeconds, Throttling
from customer_svc.domain.account import Account
from customer_svc.domain.link import hashed
from customer_svc.dto.sessions import Credentials, KeysOut, Refresh, SessionOut
from customer_svc.errors import AccountDeactivated, RefreshRefused, TooManyTries, WrongCredentials
from customer_svc.passwords import Passwords

router = new_router()


@router.post(
    "/v1/sessions",
    status_code=status.HTTP_201_CREATED,
    tags=["sessions"],
    summary="Log in",
    responses=problems(WrongCredentials, AccountDeactivated, TooManyTries),
)
async def log_in(
    body: Credentials,
    address: Address,
    database: Database,
    commit: Commit,
    passwords: Hashing,
    issuer: Issuing,
    throttle: Throttling,
    seconds: RefreshSeconds,
) -> SessionOut:
    """Exchange e-mail address and password for an access token, and a refresh token that brings the next."""
    session_id, token = uuid7(), secrets.token_urlsafe(32)
    async with throttle.trying(body.email, address):
        known = await queries.account_by_email(database, body.email)
        account = await _let_in(known, body.password.get_secret_value(), passwords)
        await commit(
            lambda unit: start_session(unit, account.id, account.password_hash, session_id, hashed(token), seconds),
            wants=lambda unit: unit.accounts.prefetch(account.id),
        )
    access = issuer.issue(Principal(account.id, account.role))
    return SessionOut(access_token=access, expires_in=issuer.seconds, refresh_token=token, refresh_expires_in=seconds)


async def _let_in(account: Account | None, password: str, passwords: Passwords) -> Account:
    """The account, if it is its password; takes as long where there is no account."""
    if not await passwords.matches(password, account.password_hash if account else None) or account is None:
        raise WrongCredentials
    return account


@router.post(
    "/v1/sessions/refresh", tags=["sessions"], summary="Get the next tokens", responses=problems(RefreshRefused)
)
async def refresh(body: Refresh, database: Database, commit: Commit, issuer: Issuing) -> SessionOut:
    """Exchange a refresh token for an access token and the next refresh token.

    Each can be used once. One that comes a second time was stolen by somebody: it ends the session for both.
    """
    family = await queries.family_of_token(database, body.refresh_token.get_secret_value())
    if family is None:
        raise RefreshRefused
    token = secrets.token_urlsafe(32)
    refreshed = await commit(
        lambda unit: refresh_session(unit, family, hashed(token)), wants=lambda unit: want_family(unit, family)
    )
    if refreshed is None:
        raise RefreshRefused
    account, seconds = refreshed
    return SessionOut(
        access_token=issuer.issue(Principal(account.id, account.role)),
        expires_in=issuer.seconds,
        refresh_token=token,
        refresh_expires_in=seconds,
    )


@router.post("/v1/sessions/logout", status_code=status.HTTP_204_NO_CONTENT, tags=["sessions"], summary="Log out")
async def log_out(body: Refresh, database: Database, commit: Commit) -> None:
    """End the session that a refresh token belongs to; an access token is good until it expires."""
    family = await queries.family_of_token(database, body.refresh_token.get_secret_value())
    if family:
        await commit(lambda unit: end_session(unit, family), wants=lambda unit: want_family(unit, family))


@router.get("/.well-known/jwks.json", tags=["keys"], summary="The public keys of access tokens (RFC 7517)")
async def jwks(issuer: Issuing) -> KeysOut:
    """What the other services check access tokens with."""
    return KeysOut.model_validate(issuer.jwks())
