"""What staff see of customers, and can do to them."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Response

from chassis.http.auth import Staff
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.headers import sends
from chassis.http.preconditions import ANY, IfMatch, PreconditionFailed, etag
from chassis.http.routing import new_router, problems
from customer_svc import queries
from customer_svc.commands.standing import deactivate, reactivate
from customer_svc.container import Commit, Database
from customer_svc.dto.accounts import AccountOut, CustomersOut, account_out
from customer_svc.errors import ActiveAlready, CustomerUnknown, DeactivatedAlready
from schemas.values import Text

router = new_router()

CUSTOMER = "/v1/customers/{customer_id}"


@router.get(
    "/v1/customers",
    tags=["staff"],
    summary="List and search customers",
    responses=problems(Unauthenticated, Forbidden),
)
async def list_customers(
    _staff: Staff,
    database: Database,
    q: Annotated[
        Text | None,
        Query(min_length=1, max_length=100, description="a part of the address or of the name", examples=["ada"]),
    ] = None,
    state: Annotated[Literal["active", "deactivated"] | None, Query(description="only those that are so")] = None,
    before: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> CustomersOut:
    """Customers, newest first. A page stays the same when others register. Staff and ops are not among them."""
    found = await queries.customers(database, q, state, before, limit + 1)
    page = [account_out(account) for account in found[:limit]]
    return CustomersOut(items=page, next=page[-1].id if len(found) > limit else None)


@router.get(
    CUSTOMER,
    tags=["staff"],
    summary="Read a customer's account",
    responses=problems(Unauthenticated, Forbidden, CustomerUnknown) | sends(200, "ETag"),
)
async def read_customer(customer_id: UUID, _staff: Staff, database: Database, response: Response) -> AccountOut:
    """One customer, as the customer sees it."""
    account = await queries.customer(database, customer_id)
    response.headers["ETag"] = etag(account.version)
    return account_out(account)


@router.post(
    f"{CUSTOMER}/deactivate",
    tags=["staff"],
    summary="Put a customer's account out of use",
    responses=problems(Unauthenticated, Forbidden, CustomerUnknown, DeactivatedAlready, PreconditionFailed)
    | sends(200, "ETag"),
)
async def deactivate_customer(
    customer_id: UUID, _staff: Staff, commit: Commit, response: Response, if_match: IfMatch = None
) -> AccountOut:
    """End every session; until staff undo it, the customer can neither order nor log in.

    `If-Match` is looked at where it is sent, and not asked for: the state guards it.
    """
    account = await commit(
        lambda unit: deactivate(unit, customer_id, "staff", if_match or ANY),
        wants=lambda unit: unit.accounts.prefetch(customer_id),
    )
    response.headers["ETag"] = etag(account.version)
    return account_out(account)


@router.post(
    f"{CUSTOMER}/reactivate",
    tags=["staff"],
    summary="Put a customer's account in use again",
    responses=problems(Unauthenticated, Forbidden, CustomerUnknown, ActiveAlready, PreconditionFailed)
    | sends(200, "ETag"),
)
async def reactivate_customer(
    customer_id: UUID, _staff: Staff, commit: Commit, response: Response, if_match: IfMatch = None
) -> AccountOut:
    """Whoever put it out of use."""
    account = await commit(
        lambda unit: reactivate(unit, customer_id, "staff", if_match or ANY),
        wants=lambda unit: unit.accounts.prefetch(customer_id),
    )
    response.headers["ETag"] = etag(account.version)
    return account_out(account)
