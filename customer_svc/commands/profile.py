"""What customers say about themselves: profile and addresses."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from customer_svc.commands.accounts import existing, put
from customer_svc.domain import address as addresses
from customer_svc.domain.account import Account
from customer_svc.domain.address import Entry, Use
from customer_svc.errors import AddressUnknown, TooManyAddresses
from customer_svc.store import Accounts
from schemas import Address

Check = Callable[[int], None]
"""Raises unless this version is the one that was read."""


def change_profile(unit: Accounts, account_id: UUID, check: Check, changes: Mapping[str, Any]) -> Account:
    """Change what is named in ``changes``."""
    account = existing(unit, account_id)
    check(account.version)
    changed, event = account.change_profile(changes, unit.now)
    put(unit, changed, event)
    return changed


def add_address(unit: Accounts, account_id: UUID, address_id: UUID, address: Address, uses: Sequence[Use]) -> Entry:
    """Add an address, as a default for ``uses``; raise ``TooManyAddresses``."""
    account = existing(unit, account_id)
    if len(account.addresses) >= addresses.MOST:
        raise TooManyAddresses
    entry = addresses.entry(address_id, address, uses)
    return _keep(unit, account, addresses.put(account.addresses, entry), address_id)


def replace_address(
    unit: Accounts, account_id: UUID, address_id: UUID, check: Check, address: Address, uses: Sequence[Use]
) -> Entry:
    """Put an address in the place of one that is there; raise ``AddressUnknown``."""
    account = existing(unit, account_id)
    check(_entry(account, address_id).revision)
    entry = addresses.entry(address_id, address, uses)
    return _keep(unit, account, addresses.put(account.addresses, entry), address_id)


def remove_address(unit: Accounts, account_id: UUID, address_id: UUID, check: Check) -> None:
    """Forget an address; raise ``AddressUnknown``."""
    account = existing(unit, account_id)
    check(_entry(account, address_id).revision)
    put(unit, *account.move(addresses.remove(account.addresses, address_id), unit.now))


def _keep(unit: Accounts, account: Account, entries: tuple[Entry, ...], address_id: UUID) -> Entry:
    moved, event = account.move(entries, unit.now)
    put(unit, moved, event)
    return _entry(moved, address_id)


def _entry(account: Account, address_id: UUID) -> Entry:
    for entry in account.addresses:
        if entry.id == address_id:
            return entry
    raise AddressUnknown
