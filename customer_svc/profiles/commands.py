"""Changing profiles and addresses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from pydantic import SecretStr

from chassis.http.errors import NotFound
from chassis.http.preconditions import PreconditionFailed, PreconditionRequired, unchanged_since
from chassis.link_tokens import customer_of_unsubscribe_token
from chassis.persistence.group_commit import GroupCommit
from customer_svc.accounts.commands import existing_account, update_account
from customer_svc.accounts.domain import Account, SavedAddress
from customer_svc.errors import AccountDeactivated, AddressNotFound, LinkInvalid, TooManyAddresses
from customer_svc.profiles.domain import (
    MAX_ADDRESSES,
    Use,
    change_addresses,
    change_preferences,
    change_profile,
    new_address,
    put_address,
    remove_address,
)
from customer_svc.unit_of_work import CustomerUnitOfWork
from schemas import Address


@dataclass(frozen=True, slots=True)
class UpdateProfile:
    """Change the fields of a profile that ``changes`` names."""

    errors: ClassVar = (NotFound, AccountDeactivated, PreconditionFailed, PreconditionRequired)
    account_id: UUID
    if_match: str | None
    changes: Mapping[str, Any]

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account."""
        uow.accounts.prefetch(self.account_id)

    def execute(self, uow: CustomerUnitOfWork) -> Account:
        """Return the changed account."""
        account = existing_account(uow, self.account_id)
        unchanged_since(self.if_match, account.version)
        changed, event = change_profile(account, self.changes, uow.now)
        update_account(uow, changed, event)
        return changed


@dataclass(frozen=True, slots=True)
class AddAddress:
    """Add an address, as the default for ``uses``."""

    errors: ClassVar = (NotFound, AccountDeactivated, TooManyAddresses)
    account_id: UUID
    address_id: UUID
    address: Address
    uses: Sequence[Use]

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account."""
        uow.accounts.prefetch(self.account_id)

    def execute(self, uow: CustomerUnitOfWork) -> SavedAddress:
        """Return the new address."""
        account = existing_account(uow, self.account_id)
        if len(account.addresses) >= MAX_ADDRESSES:
            raise TooManyAddresses
        return _put(uow, account, new_address(self.address_id, self.address, self.uses))


@dataclass(frozen=True, slots=True)
class ChangeAddress:
    """Replace an address, and make it the default for ``uses``."""

    errors: ClassVar = (NotFound, AddressNotFound, AccountDeactivated, PreconditionFailed, PreconditionRequired)
    account_id: UUID
    address_id: UUID
    if_match: str | None
    address: Address
    uses: Sequence[Use]

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account."""
        uow.accounts.prefetch(self.account_id)

    def execute(self, uow: CustomerUnitOfWork) -> SavedAddress:
        """Return the changed address."""
        account = existing_account(uow, self.account_id)
        unchanged_since(self.if_match, existing_address(account, self.address_id).revision)
        return _put(uow, account, new_address(self.address_id, self.address, self.uses))


@dataclass(frozen=True, slots=True)
class RemoveAddress:
    """Remove an address."""

    errors: ClassVar = (NotFound, AddressNotFound, AccountDeactivated, PreconditionFailed, PreconditionRequired)
    account_id: UUID
    address_id: UUID
    if_match: str | None

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account."""
        uow.accounts.prefetch(self.account_id)

    def execute(self, uow: CustomerUnitOfWork) -> None:
        """Remove it from the account."""
        account = existing_account(uow, self.account_id)
        unchanged_since(self.if_match, existing_address(account, self.address_id).revision)
        addresses = remove_address(account.addresses, self.address_id)
        update_account(uow, *change_addresses(account, addresses, uow.now))


@dataclass(frozen=True, slots=True)
class StopOrderUpdates:
    """Send a customer no more optional mails about orders; also of an account that is deactivated."""

    errors: ClassVar = ()
    account_id: UUID

    def prefetch(self, uow: CustomerUnitOfWork) -> None:
        """Load the account."""
        uow.accounts.prefetch(self.account_id)

    def execute(self, uow: CustomerUnitOfWork) -> None:
        """Change nothing if the account is erased, or gets none already: mail programs may post twice."""
        account = uow.accounts.get(self.account_id)
        if account and account.order_updates:
            update_account(uow, *change_preferences(account, uow.now, order_updates=False))


async def unsubscribe(commit: GroupCommit[CustomerUnitOfWork], key: SecretStr, token: str) -> None:
    """Use the token of a mail; raise ``LinkInvalid``."""
    customer_id = customer_of_unsubscribe_token(key, token)
    if customer_id is None:
        raise LinkInvalid
    await commit(StopOrderUpdates(customer_id))


def existing_address(account: Account, address_id: UUID) -> SavedAddress:
    """An address of an account; raise ``AddressNotFound``."""
    for address in account.addresses:
        if address.id == address_id:
            return address
    raise AddressNotFound


def _put(uow: CustomerUnitOfWork, account: Account, address: SavedAddress) -> SavedAddress:
    changed, event = change_addresses(account, put_address(account.addresses, address), uow.now)
    update_account(uow, changed, event)
    return existing_address(changed, address.id)
