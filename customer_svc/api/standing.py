"""Leaving for a while, coming back, taking everything along, and leaving for good."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from fastapi import Response, status

from chassis.http.auth import Customer
from chassis.http.errors import Forbidden, NotFound, Unauthenticated
from chassis.http.headers import sends
from chassis.http.preconditions import ANY, IfMatch, PreconditionFailed, etag
from chassis.http.routing import new_router, problems
from chassis.http.streaming import StreamingBody
from customer_svc import queries
from customer_svc.api.needs import Address, OwnName
from customer_svc.commands.standing import deactivate, erase, reactivate
from customer_svc.container import Asking, Commit, Database, Hashing, Throttling
from customer_svc.dto.accounts import AccountOut, account_out
from customer_svc.dto.standing import ErasureOut, ExportOut, Farewell, erasure_out, own_export_out
from customer_svc.errors import (
    AccountDeactivated,
    ActiveAlready,
    CustomerUnknown,
    DeactivatedAlready,
    ErasureUnknown,
    ExportUnavailable,
    TooManyTries,
    WrongPassword,
)
from customer_svc.store import Accounts

router = new_router()


@router.post(
    "/v1/customers/me/deactivate",
    tags=["customers"],
    summary="Put one's account out of use",
    responses=problems(Unauthenticated, Forbidden, CustomerUnknown, DeactivatedAlready, PreconditionFailed)
    | sends(200, "ETag"),
)
async def deactivate_me(
    principal: Customer, commit: Commit, response: Response, if_match: IfMatch = None
) -> AccountOut:
    """End every session and order nothing more. Log in again to come back, to read one's data, or to erase them.

    `If-Match` is looked at where it is sent, and not asked for: who leaves, leaves.
    """
    account = await commit(
        lambda unit: deactivate(unit, principal.id, "customer", if_match or ANY),
        wants=lambda unit: unit.accounts.prefetch(principal.id),
    )
    response.headers["ETag"] = etag(account.version)
    return account_out(account)


@router.post(
    "/v1/customers/me/reactivate",
    tags=["customers"],
    summary="Put one's account in use again",
    responses=problems(
        *(Unauthenticated, Forbidden, CustomerUnknown, ActiveAlready, AccountDeactivated, PreconditionFailed)
    )
    | sends(200, "ETag"),
)
async def reactivate_me(
    principal: Customer, commit: Commit, response: Response, if_match: IfMatch = None
) -> AccountOut:
    """Come back, unless it was our staff who put the account out of use."""
    account = await commit(
        lambda unit: reactivate(unit, principal.id, "customer", if_match or ANY),
        wants=lambda unit: unit.accounts.prefetch(principal.id),
    )
    response.headers["ETag"] = etag(account.version)
    return account_out(account)


@router.get(
    "/v1/customers/me/export",
    tags=["customers"],
    summary="Export one's data",
    response_model=ExportOut,
    responses=problems(Unauthenticated, Forbidden, NotFound, ExportUnavailable) | sends(200, "Content-Disposition"),
)
async def export(principal: Customer, database: Database, elsewhere: Asking, name: OwnName) -> Response:
    """Everything that there is about oneself, as one JSON document: the account, the orders, the mails.

    All of it or a refusal (`export_unavailable`): where another service goes away after the first hundred orders or
    mails, the document breaks off, and is no JSON.
    """
    account = await queries.account_by_id(database, principal.id)
    sessions = await queries.sessions_of(database, principal.id)
    own = own_export_out(account, sessions, datetime.now(UTC))
    answer = await StreamingBody.starting(elsewhere.beside(own.model_dump_json().encode(), name), "application/json")
    answer.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return answer


@router.post(
    "/v1/erasures",
    status_code=status.HTTP_202_ACCEPTED,
    tags=["erasures"],
    summary="Erase one's account and personal data",
    responses=problems(Unauthenticated, Forbidden, WrongPassword, NotFound, CustomerUnknown, TooManyTries)
    | sends(202, "Location"),
)
async def erase_me(
    body: Farewell,
    principal: Customer,
    address: Address,
    database: Database,
    commit: Commit,
    passwords: Hashing,
    throttle: Throttling,
    response: Response,
) -> ErasureOut:
    """The account is gone at once; follow at ``Location`` until the other services have confirmed.

    Keep that address: there is nothing left to log in to.
    """
    account = await queries.account_by_id(database, principal.id)

    def wants(unit: Accounts) -> None:
        unit.accounts.prefetch(account.id)

    async with throttle.trying(account.email, address):
        if not await passwords.matches(body.password.get_secret_value(), account.password_hash):
            raise WrongPassword
        # Not a UUIDv7: whoever knows this id may look, and the time of an erasure can be guessed.
        erasure_id = uuid4()
        erasure = await commit(lambda unit: erase(unit, account.id, account.password_hash, erasure_id), wants)
    response.headers["Location"] = f"/v1/erasures/{erasure.id}"
    return erasure_out(erasure)


@router.get(
    "/v1/erasures/{erasure_id}",
    tags=["erasures"],
    summary="Follow an erasure",
    responses=problems(ErasureUnknown),
)
async def read_erasure(erasure_id: UUID, database: Database) -> ErasureOut:
    """Who has confirmed that nothing personal is left. Needs no token, for there is no account any more."""
    return erasure_out(await queries.erasure(database, erasure_id))
