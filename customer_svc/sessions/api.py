"""Logging in, refreshing access tokens, and logging out."""

import secrets
from uuid import UUID

from fastapi import status
from uuid_utils.compat import uuid7

from chassis.http.auth import Authenticated, Issuer, Principal
from chassis.http.errors import Unauthenticated
from chassis.http.routing import new_router, problems
from customer_svc.accounts.domain import Account
from customer_svc.accounts.password_check import Check
from customer_svc.audit_log.recording import RequestAudit, audited
from customer_svc.container import Commit, Database, RefreshSeconds, TokenIssuer, TotpRoles
from customer_svc.errors import RefreshTokenInvalid, TooManyAttempts, TotpRequired
from customer_svc.links.domain import hash_token
from customer_svc.sessions import queries
from customer_svc.sessions.commands import EndAllSessions, EndSession, OpenSession, Refreshed, RefreshSession
from customer_svc.sessions.dto import Credentials, RefreshTokenIn, SessionOut

router = new_router()


@router.post(
    "/v1/sessions",
    status_code=status.HTTP_201_CREATED,
    tags=["sessions"],
    summary="Log in",
    responses=problems(*OpenSession.errors, TooManyAttempts),
    dependencies=[audited("session.open")],
)
async def log_in(
    body: Credentials,
    check: Check,
    commit: Commit,
    issuer: TokenIssuer,
    seconds: RefreshSeconds,
    totp_roles: TotpRoles,
    audit: RequestAudit,
) -> SessionOut:
    """Exchange e-mail address and password for an access token and a refresh token.

    An address that is not verified yet is answered as if it had no account: otherwise a registration, followed by a
    log-in, would tell whether it has one. An account with one-time codes needs a `code` as well; `totp_required` says
    so, after the right password.
    """
    session_id, token = uuid7(), secrets.token_urlsafe(32)
    async with check.account(body.email, body.password.get_secret_value()) as account:
        code = body.code.get_secret_value() if body.code else None
        token_hash = hash_token(token)
        command = OpenSession(account.id, account.password_hash, session_id, token_hash, seconds, code, totp_roles)
        opened = await commit(command)
        if opened:
            await check.remember(opened)
    if opened is None:
        raise TotpRequired
    audit.actor, audit.subject = Principal(opened.id, opened.role), None
    return _session(opened, session_id, issuer, token, seconds)


def _session(account: Account, session_id: UUID, issuer: Issuer, refresh_token: str, seconds: int) -> SessionOut:
    verified = account.verified_at is not None
    principal = Principal(account.id, account.role, verified, epoch=account.epoch, session_id=session_id)
    # A session is forgotten when it has ended, and so would be that it was ended before: no token may outlive it.
    lifetime = min(issuer.seconds, seconds)
    return SessionOut(
        access_token=issuer.issue(principal, lifetime),
        expires_in=lifetime,
        refresh_token=refresh_token,
        refresh_expires_in=seconds,
    )


@router.post(
    "/v1/sessions/refresh",
    tags=["sessions"],
    summary="Refresh a session",
    responses=problems(RefreshTokenInvalid),
)
async def refresh_session(
    body: RefreshTokenIn,
    database: Database,
    commit: Commit,
    issuer: TokenIssuer,
    totp_roles: TotpRoles,
    audit: RequestAudit,
) -> SessionOut:
    """Exchange a refresh token for an access token and the next refresh token.

    Each refresh token can be used once. If one is used again, it was stolen, and the session ends for both clients.
    """
    owner = await queries.owner_of_token(database, body.refresh_token.get_secret_value())
    if owner is None:
        raise RefreshTokenInvalid
    token = secrets.token_urlsafe(32)
    refreshed = await commit(RefreshSession(owner, hash_token(token), totp_roles))
    if isinstance(refreshed, Refreshed):
        return _session(refreshed.account, owner.session_id, issuer, token, refreshed.seconds_left)
    if refreshed == "reused":
        audit.subject = owner.account_id
        await audit.record("session.token_reused", "refused", RefreshTokenInvalid.code)
    raise RefreshTokenInvalid


@router.post("/v1/sessions/logout", status_code=status.HTTP_204_NO_CONTENT, tags=["sessions"], summary="Log out")
async def log_out(body: RefreshTokenIn, database: Database, commit: Commit, audit: RequestAudit) -> None:
    """End the session that a refresh token belongs to, and its access tokens: elsewhere within a few seconds."""
    owner = await queries.owner_of_token(database, body.refresh_token.get_secret_value())
    if owner:
        await commit(EndSession(owner))
        audit.subject = owner.account_id
        await audit.record("session.end", "granted")


@router.post(
    "/v1/sessions/logout-everywhere",
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["sessions"],
    summary="Log out everywhere",
    responses=problems(Unauthenticated, *EndAllSessions.errors),
    dependencies=[audited("session.end_all")],
)
async def log_out_everywhere(principal: Authenticated, commit: Commit) -> None:
    """End all sessions of your account, also that of this request, with their access tokens."""
    await commit(EndAllSessions(principal.id))
