"""The customer's own account: reading, deactivating and reactivating it."""

from fastapi import Response

from chassis.http.auth import Authenticated, Customer
from chassis.http.errors import Forbidden, NotFound, Unauthenticated
from chassis.http.headers import sends
from chassis.http.preconditions import ANY, IfMatch, etag
from chassis.http.routing import new_router, problems
from customer_svc.accounts import queries
from customer_svc.accounts.commands import DeactivateAccount, ReactivateAccount
from customer_svc.accounts.dto import AccountOut, account_out
from customer_svc.audit_log.recording import audited
from customer_svc.container import Commit, Database

router = new_router()


@router.get(
    "/v1/customers/me",
    tags=["customers"],
    summary="Read your own account",
    responses=problems(Unauthenticated, NotFound) | sends(200, "ETag"),
)
async def read_own_account(principal: Authenticated, database: Database, response: Response) -> AccountOut:
    """The account that the access token belongs to."""
    account = await queries.account_by_id(database, principal.id)
    response.headers["ETag"] = etag(account.version)
    return account_out(account)


@router.post(
    "/v1/customers/me/deactivate",
    tags=["customers"],
    summary="Deactivate your own account",
    responses=problems(Unauthenticated, Forbidden, *DeactivateAccount.errors) | sends(200, "ETag"),
    dependencies=[audited("account.deactivate")],
)
async def deactivate_own_account(
    principal: Customer, commit: Commit, response: Response, if_match: IfMatch = None
) -> AccountOut:
    """End every session and prevent new orders.

    You can still log in, to reactivate the account, export your data or erase it. `If-Match` is optional.
    """
    account = await commit(DeactivateAccount(principal.id, "customer", if_match or ANY))
    response.headers["ETag"] = etag(account.version)
    return account_out(account)


@router.post(
    "/v1/customers/me/reactivate",
    tags=["customers"],
    summary="Reactivate your own account",
    responses=problems(Unauthenticated, Forbidden, *ReactivateAccount.errors) | sends(200, "ETag"),
    dependencies=[audited("account.reactivate")],
)
async def reactivate_own_account(
    principal: Customer, commit: Commit, response: Response, if_match: IfMatch = None
) -> AccountOut:
    """Reactivate the account, unless staff deactivated it. `If-Match` is optional."""
    account = await commit(ReactivateAccount(principal.id, "customer", if_match or ANY))
    response.headers["ETag"] = etag(account.version)
    return account_out(account)
