"""One's own profile and addresses."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from fastapi import Response, status
from uuid_utils.compat import uuid7

from chassis.http.auth import Authenticated, Customer
from chassis.http.errors import Forbidden, NotFound, Unauthenticated
from chassis.http.headers import sends
from chassis.http.preconditions import IfMatch, PreconditionFailed, PreconditionRequired, etag, unchanged_since
from chassis.http.routing import new_router, problems
from customer_svc import queries
from customer_svc.commands.profile import add_address, change_profile, remove_address, replace_address
from customer_svc.container import Commit, Database
from customer_svc.dto.accounts import AccountOut, account_out
from customer_svc.dto.profile import AddressBody, AddressesOut, AddressOut, ProfileChange, address_out
from customer_svc.errors import AccountDeactivated, AddressUnknown, TooManyAddresses
from customer_svc.store import Accounts

router = new_router()

ADDRESSES, ADDRESS = "/v1/customers/me/addresses", "/v1/customers/me/addresses/{address_id}"
CONDITIONS = (PreconditionFailed, PreconditionRequired)


@router.get(
    "/v1/customers/me",
    tags=["customers"],
    summary="Read one's own account",
    responses=problems(Unauthenticated, NotFound) | sends(200, "ETag"),
)
async def me(principal: Authenticated, database: Database, response: Response) -> AccountOut:
    """The account that the access token speaks for."""
    account = await queries.account_by_id(database, principal.id)
    response.headers["ETag"] = etag(account.version)
    return account_out(account)


@router.patch(
    "/v1/customers/me",
    tags=["customers"],
    summary="Change one's own profile",
    responses=problems(Unauthenticated, NotFound, AccountDeactivated, *CONDITIONS) | sends(200, "ETag"),
)
async def change_me(
    body: ProfileChange, principal: Authenticated, commit: Commit, response: Response, if_match: IfMatch = None
) -> AccountOut:
    """Change name, phone number, locale or preferences. Mails about orders that one placed come in any case."""
    account = await commit(
        lambda unit: change_profile(unit, principal.id, partial(unchanged_since, if_match), body.changes()),
        wants=_account(principal.id),
    )
    response.headers["ETag"] = etag(account.version)
    return account_out(account)


@router.get(
    ADDRESSES,
    tags=["addresses"],
    summary="List one's addresses",
    responses=problems(Unauthenticated, Forbidden, NotFound),
)
async def list_addresses(principal: Customer, database: Database) -> AddressesOut:
    """All of them: there are 20 at most."""
    account = await queries.account_by_id(database, principal.id)
    return AddressesOut(items=[address_out(entry) for entry in account.addresses])


@router.post(
    ADDRESSES,
    status_code=status.HTTP_201_CREATED,
    tags=["addresses"],
    summary="Add an address",
    responses=problems(Unauthenticated, Forbidden, NotFound, AccountDeactivated, TooManyAddresses)
    | sends(201, "Location", "ETag"),
)
async def post_address(body: AddressBody, principal: Customer, commit: Commit, response: Response) -> AddressOut:
    """Add an address. The first is the default for everything, and so is a later one for what it says."""
    address_id = uuid7()
    entry = await commit(
        lambda unit: add_address(unit, principal.id, address_id, body.address(), body.default_for),
        wants=_account(principal.id),
    )
    response.headers["Location"], response.headers["ETag"] = f"{ADDRESSES}/{address_id}", etag(entry.revision)
    return address_out(entry)


@router.get(
    ADDRESS,
    tags=["addresses"],
    summary="Read an address",
    responses=problems(Unauthenticated, Forbidden, NotFound, AddressUnknown) | sends(200, "ETag"),
)
async def read_address(address_id: UUID, principal: Customer, database: Database, response: Response) -> AddressOut:
    """One of one's own addresses."""
    account = await queries.account_by_id(database, principal.id)
    for entry in account.addresses:
        if entry.id == address_id:
            response.headers["ETag"] = etag(entry.revision)
            return address_out(entry)
    raise AddressUnknown


@router.put(
    ADDRESS,
    tags=["addresses"],
    summary="Change an address",
    responses=problems(Unauthenticated, Forbidden, NotFound, AddressUnknown, AccountDeactivated, *CONDITIONS)
    | sends(200, "ETag"),
)
async def put_address(
    address_id: UUID,
    body: AddressBody,
    principal: Customer,
    commit: Commit,
    response: Response,
    if_match: IfMatch = None,
) -> AddressOut:
    """Put another in its place. To be the default no longer, name another as such: one always is."""
    check, uses = partial(unchanged_since, if_match), body.default_for
    entry = await commit(
        lambda unit: replace_address(unit, principal.id, address_id, check, body.address(), uses),
        wants=_account(principal.id),
    )
    response.headers["ETag"] = etag(entry.revision)
    return address_out(entry)


@router.delete(
    ADDRESS,
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["addresses"],
    summary="Forget an address",
    responses=problems(Unauthenticated, Forbidden, NotFound, AddressUnknown, AccountDeactivated, *CONDITIONS),
)
async def delete_address(address_id: UUID, principal: Customer, commit: Commit, if_match: IfMatch = None) -> None:
    """Remove it. What it was the default for, the oldest of the others is now; orders keep what they were given."""
    await commit(
        lambda unit: remove_address(unit, principal.id, address_id, partial(unchanged_since, if_match)),
        wants=_account(principal.id),
    )


def _account(account_id: UUID) -> Callable[[Accounts], None]:
    return lambda unit: unit.accounts.prefetch(account_id)
