"""Logging in."""

from typing import Any

from fastapi import status

from chassis.auth import Principal
from chassis.rest import new_router, problems
from customer_svc import queries
from customer_svc.api.needs import Database, Hashing, Issuing
from customer_svc.dto.sessions import Credentials, SessionOut
from customer_svc.errors import WrongCredentials

router = new_router()


@router.post(
    "/v1/sessions",
    status_code=status.HTTP_201_CREATED,
    tags=["sessions"],
    summary="Log in",
    responses=problems(WrongCredentials),
)
async def log_in(body: Credentials, database: Database, passwords: Hashing, issuer: Issuing) -> SessionOut:
    """Exchange e-mail address and password for an access token."""
    account = await queries.account_by_email(database, body.email)
    stored = account.password_hash if account else None
    if not await passwords.matches(body.password.get_secret_value(), stored) or account is None:
        raise WrongCredentials
    token = issuer.issue(Principal(account.id, account.role))
    return SessionOut(access_token=token, expires_in=issuer.seconds)


@router.get("/.well-known/jwks.json", tags=["keys"], summary="The public keys of access tokens (RFC 7517)")
async def jwks(issuer: Issuing) -> dict[str, Any]:
    """What the other services check access tokens with."""
    return issuer.jwks()
