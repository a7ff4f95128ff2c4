"""Erasing your own account, and following the erasure."""

from uuid import UUID, uuid4

from fastapi import Response, status

from chassis.http.auth import Customer
from chassis.http.errors import Forbidden, NotFound, Unauthenticated
from chassis.http.headers import sends
from chassis.http.routing import new_router, problems
from customer_svc.accounts.password_check import OwnCheck
from customer_svc.audit_log.recording import audited
from customer_svc.container import Commit, Database
from customer_svc.erasure import queries
from customer_svc.erasure.commands import RequestErasure
from customer_svc.erasure.dto import ErasureOut, ErasureRequest, erasure_out
from customer_svc.errors import ErasureNotFound, TooManyAttempts

router = new_router()


@router.post(
    "/v1/erasures",
    status_code=status.HTTP_202_ACCEPTED,
    tags=["erasures"],
    summary="Erase your account and personal data",
    responses=problems(Unauthenticated, Forbidden, NotFound, *RequestErasure.errors, TooManyAttempts)
    | sends(202, "Location"),
    dependencies=[audited("account.erase")],
)
async def request_erasure(
    body: ErasureRequest,
    principal: Customer,
    commit: Commit,
    check: OwnCheck,
    response: Response,
) -> ErasureOut:
    """The account is deleted at once; poll `Location` until the other services have anonymised their data.

    Keep that URL: there is no account left to log in to.
    """
    account = await check.account(principal.id, body.password)
    # Not a UUIDv7: the id is all that is needed to read the progress, and the time of an erasure can be guessed.
    erasure = await commit(RequestErasure(account.id, account.password_hash, uuid4()))
    response.headers["Location"] = f"/v1/erasures/{erasure.id}"
    return erasure_out(erasure)


@router.get(
    "/v1/erasures/{erasure_id}",
    tags=["erasures"],
    summary="Follow an erasure",
    responses=problems(ErasureNotFound),
)
async def read_erasure(erasure_id: UUID, database: Database) -> ErasureOut:
    """Which services have anonymised their data. No token is needed, because there is no account any more."""
    return erasure_out(await queries.erasure_by_id(database, erasure_id))
