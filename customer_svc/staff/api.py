"""Customers as staff see them, and the accounts of staff and ops as ops see them."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response, status

from chassis.http.auth import Ops, Staff
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.headers import sends
from chassis.http.ops_actions import Reason
from chassis.http.paging import IdCursor
from chassis.http.preconditions import ANY, IfMatch, etag
from chassis.http.routing import new_router, problems
from customer_svc.accounts.commands import DeactivateAccount, ReactivateAccount
from customer_svc.accounts.domain import AccountStatus
from customer_svc.accounts.dto import AccountOut, account_out
from customer_svc.audit_log.recording import RequestAudit, audited
from customer_svc.container import Commit, Database
from customer_svc.errors import CustomerNotFound
from customer_svc.staff import queries
from customer_svc.staff.commands import DeactivateStaff, ReactivateStaff
from customer_svc.staff.dto import CustomersOut, StaffAccountsOut, staff_account_out
from schemas.values import Text

router = new_router()

CUSTOMER = "/v1/customers/{customer_id}"
STAFF_ACCOUNT = "/v1/staff-accounts/{account_id}"


@router.get(
    "/v1/customers",
    tags=["staff"],
    summary="List and search customers",
    responses=problems(Unauthenticated, Forbidden),
    dependencies=[audited("account.list")],
)
async def list_customers(
    _staff: Staff,
    database: Database,
    q: Annotated[
        Text | None,
        Query(min_length=1, max_length=100, description="a part of the e-mail address or name", examples=["ada"]),
    ] = None,
    state: Annotated[AccountStatus | None, Query(description="only customers in this state")] = None,
    cursor: IdCursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> CustomersOut:
    """Customers, newest first. Pages do not shift when others register. Staff accounts are not included."""
    found = await queries.find_customers(database, q, state, cursor, limit + 1)
    page = [account_out(account) for account in found[:limit]]
    return CustomersOut(items=page, next=page[-1].id if len(found) > limit else None)


@router.get(
    CUSTOMER,
    tags=["staff"],
    summary="Read a customer's account",
    responses=problems(Unauthenticated, Forbidden, CustomerNotFound) | sends(200, "ETag"),
    dependencies=[audited("account.read")],
)
async def read_customer(customer_id: UUID, _staff: Staff, database: Database, response: Response) -> AccountOut:
    """The account as the customer sees it."""
    account = await queries.customer_by_id(database, customer_id)
    response.headers["ETag"] = etag(account.version)
    return account_out(account)


@router.post(
    f"{CUSTOMER}/deactivate",
    tags=["staff"],
    summary="Deactivate a customer's account",
    responses=problems(Unauthenticated, Forbidden, *DeactivateAccount.errors) | sends(200, "ETag"),
    dependencies=[audited("account.deactivate")],
)
async def deactivate_customer(
    customer_id: UUID, _staff: Staff, commit: Commit, response: Response, if_match: IfMatch = None
) -> AccountOut:
    """End every session of the customer, who can neither order nor log in until staff reactivate the account.

    `If-Match` is optional.
    """
    account = await commit(DeactivateAccount(customer_id, "staff", if_match or ANY))
    response.headers["ETag"] = etag(account.version)
    return account_out(account)


@router.post(
    f"{CUSTOMER}/reactivate",
    tags=["staff"],
    summary="Reactivate a customer's account",
    responses=problems(Unauthenticated, Forbidden, *ReactivateAccount.errors) | sends(200, "ETag"),
    dependencies=[audited("account.reactivate")],
)
async def reactivate_customer(
    customer_id: UUID, _staff: Staff, commit: Commit, response: Response, if_match: IfMatch = None
) -> AccountOut:
    """Reactivate the account, whether staff or the customer deactivated it. `If-Match` is optional."""
    account = await commit(ReactivateAccount(customer_id, "staff", if_match or ANY))
    response.headers["ETag"] = etag(account.version)
    return account_out(account)


@router.get(
    "/v1/staff-accounts",
    tags=["ops"],
    summary="List the accounts of staff and ops",
    responses=problems(Unauthenticated, Forbidden),
    dependencies=[audited("staff.list")],
)
async def list_staff_accounts(_ops: Ops, database: Database) -> StaffAccountsOut:
    """All of them, oldest first."""
    return StaffAccountsOut(items=[staff_account_out(one) for one in await queries.staff_accounts(database)])


@router.post(
    f"{STAFF_ACCOUNT}/deactivate",
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["ops"],
    summary="Deactivate an account of staff or ops",
    responses=problems(Unauthenticated, Forbidden, *DeactivateStaff.errors),
    dependencies=[audited("staff.deactivate")],
)
async def deactivate_staff_account(
    account_id: UUID, body: Reason, _ops: Ops, database: Database, commit: Commit, audit: RequestAudit
) -> None:
    """End every session of the account, and refuse log-ins until ops reactivate it.

    The last active account of ops cannot be deactivated.
    """
    audit.why = body.why
    await commit(DeactivateStaff(account_id, await queries.ops_ids(database)))


@router.post(
    f"{STAFF_ACCOUNT}/reactivate",
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["ops"],
    summary="Reactivate an account of staff or ops",
    responses=problems(Unauthenticated, Forbidden, *ReactivateStaff.errors),
    dependencies=[audited("staff.reactivate")],
)
async def reactivate_staff_account(
    account_id: UUID, body: Reason, _ops: Ops, commit: Commit, audit: RequestAudit
) -> None:
    """Allow log-ins again."""
    audit.why = body.why
    await commit(ReactivateStaff(account_id))
