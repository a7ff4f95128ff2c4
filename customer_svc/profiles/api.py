"""The customer's own profile and addresses."""

from uuid import UUID

from fastapi import Response, status
from uuid_utils.compat import uuid7

from chassis.http.auth import Authenticated, Customer
from chassis.http.errors import Forbidden, NotFound, Unauthenticated
from chassis.http.headers import sends
from chassis.http.preconditions import IfMatch, etag
from chassis.http.routing import new_router, problems
from customer_svc.accounts.dto import AccountOut, account_out
from customer_svc.accounts.queries import account_by_id
from customer_svc.audit_log.recording import audited
from customer_svc.container import Commit, Database, LinkKey
from customer_svc.errors import AddressNotFound, LinkInvalid
from customer_svc.profiles.commands import (
    AddAddress,
    ChangeAddress,
    RemoveAddress,
    UpdateProfile,
    existing_address,
    unsubscribe,
)
from customer_svc.profiles.dto import (
    AddressesOut,
    AddressIn,
    AddressOut,
    ProfileChange,
    Unsubscription,
    address_out,
)

router = new_router()

ADDRESSES, ADDRESS = "/v1/customers/me/addresses", "/v1/customers/me/addresses/{address_id}"


@router.patch(
    "/v1/customers/me",
    tags=["customers"],
    summary="Change your own profile",
    responses=problems(Unauthenticated, *UpdateProfile.errors) | sends(200, "ETag"),
)
async def change_profile(
    body: ProfileChange, principal: Authenticated, commit: Commit, response: Response, if_match: IfMatch = None
) -> AccountOut:
    """Change the name, phone number, locale, time zone or preferences.

    Mails that a purchase requires are sent in any case.
    """
    account = await commit(UpdateProfile(principal.id, if_match, body.changes()))
    response.headers["ETag"] = etag(account.version)
    return account_out(account)


@router.post(
    "/v1/unsubscriptions",
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["customers"],
    summary="Unsubscribe from mails about the progress of orders",
    responses=problems(LinkInvalid),
)
async def unsubscribe_customer(body: Unsubscription, commit: Commit, key: LinkKey) -> None:
    """Use the token of a link in such a mail: no log-in is needed. It can be repeated.

    A mail program posts to the link itself (RFC 8058). `PATCH /v1/customers/me` turns the mails on again.
    """
    await unsubscribe(commit, key, body.token.get_secret_value())


@router.get(
    ADDRESSES,
    tags=["addresses"],
    summary="List your addresses",
    responses=problems(Unauthenticated, Forbidden, NotFound),
)
async def list_addresses(principal: Customer, database: Database) -> AddressesOut:
    """All addresses; there are at most 20."""
    account = await account_by_id(database, principal.id)
    return AddressesOut(items=[address_out(address) for address in account.addresses])


@router.post(
    ADDRESSES,
    status_code=status.HTTP_201_CREATED,
    tags=["addresses"],
    summary="Add an address",
    responses=problems(Unauthenticated, Forbidden, *AddAddress.errors) | sends(201, "Location", "ETag"),
    dependencies=[audited("address.change")],
)
async def add_address(body: AddressIn, principal: Customer, commit: Commit, response: Response) -> AddressOut:
    """Add an address. The first is the default for everything, later ones for what `default_for` says."""
    address_id = uuid7()
    address = await commit(AddAddress(principal.id, address_id, body.as_value(), body.default_for))
    response.headers["Location"], response.headers["ETag"] = f"{ADDRESSES}/{address_id}", etag(address.revision)
    return address_out(address)


@router.get(
    ADDRESS,
    tags=["addresses"],
    summary="Read an address",
    responses=problems(Unauthenticated, Forbidden, NotFound, AddressNotFound) | sends(200, "ETag"),
)
async def read_address(address_id: UUID, principal: Customer, database: Database, response: Response) -> AddressOut:
    """One of your own addresses."""
    address = existing_address(await account_by_id(database, principal.id), address_id)
    response.headers["ETag"] = etag(address.revision)
    return address_out(address)


@router.put(
    ADDRESS,
    tags=["addresses"],
    summary="Change an address",
    responses=problems(Unauthenticated, Forbidden, *ChangeAddress.errors) | sends(200, "ETag"),
    dependencies=[audited("address.change")],
)
async def change_address(
    address_id: UUID,
    body: AddressIn,
    principal: Customer,
    commit: Commit,
    response: Response,
    if_match: IfMatch = None,
) -> AddressOut:
    """Replace an address. It stays the default until another address becomes the default."""
    command = ChangeAddress(principal.id, address_id, if_match, body.as_value(), body.default_for)
    address = await commit(command)
    response.headers["ETag"] = etag(address.revision)
    return address_out(address)


@router.delete(
    ADDRESS,
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["addresses"],
    summary="Remove an address",
    responses=problems(Unauthenticated, Forbidden, *RemoveAddress.errors),
    dependencies=[audited("address.change")],
)
async def remove_address(address_id: UUID, principal: Customer, commit: Commit, if_match: IfMatch = None) -> None:
    """Remove an address. The oldest of the others becomes the default in its place; existing orders do not change."""
    await commit(RemoveAddress(principal.id, address_id, if_match))
