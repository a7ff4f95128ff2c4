"""Logging in, refreshing access tokens, logging out; and the public keys of access tokens."""

import secrets

from fastapi import status
from uuid_utils.compat import uuid7

from chassis.http.auth import Principal
from chassis.http.routing import new_router, problems
from customer_svc.accounts.domain import Account
from customer_svc.accounts.queries import account_by_email
from customer_svc.container import (
    ClientAddress,
    Commit,
    Database,
    PasswordHasher,
    RefreshSeconds,
    Throttle,
    TokenIssuer,
)
from customer_svc.errors import RefreshTokenInvalid, TooManyAttempts, WrongCredentials
from customer_svc.links.domain import hash_token
from customer_svc.sessions import queries
from customer_svc.sessions.commands import EndSession, OpenSession, RefreshSession
from customer_svc.sessions.dto import Credentials, KeysOut, RefreshTokenIn, SessionOut

router = new_router()


@router.post(
    "/v1/sessions",
    status_code=status.HTTP_201_CREATED,
    tags=["sessions"],
    summary="Log in",
    responses=problems(*OpenSession.errors, TooManyAttempts),
)
async def log_in(
    body: Credentials,
    client_address: ClientAddress,
    database: Database,
    commit: Commit,
    hasher: PasswordHasher,
    issuer: TokenIssuer,
    throttle: Throttle,
    seconds: RefreshSeconds,
) -> SessionOut:
    """Exchange e-mail address and password for an access token and a refresh token.

    An address that is not verified yet is answered as if it had no account: otherwise a registration, followed by a
    log-in, would tell whether it has one.
    """
    session_id, token = uuid7(), secrets.token_urlsafe(32)
    async with throttle.log_in_attempt(body.email, client_address):
        found = await account_by_email(database, body.email)
        account = await _authenticated(found, body.password.get_secret_value(), hasher)
        await commit(OpenSession(account.id, account.password_hash, session_id, hash_token(token), seconds))
        await throttle.remember(account.id, client_address)
    return _session(account, issuer, token, seconds)


async def _authenticated(account: Account | None, password: str, hasher: PasswordHasher) -> Account:
    """The account, if the password is right and the address verified; this takes as long if there is no account."""
    right = await hasher.matches(password, account.password_hash if account else None)
    if not right or account is None or account.verified_at is None:
        raise WrongCredentials
    return account


def _session(account: Account, issuer: TokenIssuer, refresh_token: str, seconds: int) -> SessionOut:
    return SessionOut(
        access_token=issuer.issue(Principal(account.id, account.role, verified=account.verified_at is not None)),
        expires_in=issuer.seconds,
        refresh_token=refresh_token,
        refresh_expires_in=seconds,
    )


@router.post(
    "/v1/sessions/refresh",
    tags=["sessions"],
    summary="Refresh a session",
    responses=problems(RefreshTokenInvalid),
)
async def refresh(body: RefreshTokenIn, database: Database, commit: Commit, issuer: TokenIssuer) -> SessionOut:
    """Exchange a refresh token for an access token and the next refresh token.

    Each refresh token can be used once. If one is used again, it was stolen, and the session ends for both clients.
    """
    owner = await queries.owner_of_token(database, body.refresh_token.get_secret_value())
    if owner is None:
        raise RefreshTokenInvalid
    token = secrets.token_urlsafe(32)
    refreshed = await commit(RefreshSession(owner, hash_token(token)))
    if refreshed is None:
        raise RefreshTokenInvalid
    account, seconds = refreshed
    return _session(account, issuer, token, seconds)


@router.post("/v1/sessions/logout", status_code=status.HTTP_204_NO_CONTENT, tags=["sessions"], summary="Log out")
async def log_out(body: RefreshTokenIn, database: Database, commit: Commit) -> None:
    """End the session that a refresh token belongs to; access tokens stay valid until they expire."""
    owner = await queries.owner_of_token(database, body.refresh_token.get_secret_value())
    if owner:
        await commit(EndSession(owner))


@router.get("/.well-known/jwks.json", tags=["keys"], summary="Read the public keys of access tokens (RFC 7517)")
async def jwks(issuer: TokenIssuer) -> KeysOut:
    """The keys with which the other services verify access tokens."""
    return KeysOut.model_validate(issuer.jwks())
