"""The routes of customer_svc."""

from typing import Annotated, Any

from fastapi import Response, status
from uuid_utils.compat import uuid7

from chassis.auth import Authenticated, Issuer, Principal
from chassis.errors import NotFound, Unauthenticated
from chassis.groupcommit import GroupCommit
from chassis.rest import new_router, problems, state
from chassis.sql import Postgres
from customer_svc import queries
from customer_svc.commands import register_customer
from customer_svc.domain import normalised
from customer_svc.dto import AccountOut, Credentials, Registration, SessionOut, account_out
from customer_svc.errors import EmailTaken, WrongCredentials
from customer_svc.passwords import Passwords
from customer_svc.store import Accounts

router = new_router()


Commit = Annotated[GroupCommit[Accounts], state("commit")]
Database = Annotated[Postgres, state("database")]
Hashing = Annotated[Passwords, state("passwords")]
Issuing = Annotated[Issuer, state("issuer")]


@router.post(
    "/v1/customers",
    status_code=status.HTTP_201_CREATED,
    tags=["customers"],
    summary="Register a customer",
    responses=problems(EmailTaken),
)
async def register(body: Registration, response: Response, commit: Commit, passwords: Hashing) -> AccountOut:
    """Open an account; log in with it at ``POST /v1/sessions``."""
    password_hash = await passwords.hashed(body.password.get_secret_value())
    account_id, email = uuid7(), normalised(body.email)
    account = await commit(
        lambda unit: register_customer(unit, account_id, email, body.name, password_hash),
        wants=lambda unit: unit.by_email.want(email),
    )
    response.headers["Location"] = "/v1/customers/me"
    return account_out(account)


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


@router.get(
    "/v1/customers/me",
    tags=["customers"],
    summary="Read one's own account",
    responses=problems(Unauthenticated, NotFound),
)
async def me(principal: Authenticated, database: Database) -> AccountOut:
    """The account that the access token speaks for."""
    return account_out(await queries.account_by_id(database, principal.id))


@router.get("/.well-known/jwks.json", tags=["keys"], summary="The public keys of access tokens (RFC 7517)")
async def jwks(issuer: Issuing) -> dict[str, Any]:
    """What the other services check access tokens with."""
    return issuer.jwks()
