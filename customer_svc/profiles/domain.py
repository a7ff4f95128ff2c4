"""The rules of profiles and addresses: any number of addresses, of which one is the default for each use."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from customer_svc.accounts.domain import Account, SavedAddress
from schemas import Address, AddressesChanged, ProfileChanged

Use = Literal["shipping", "billing"]
USES: tuple[Use, ...] = ("shipping", "billing")

MAX_ADDRESSES = 20


def change_profile(account: Account, changes: Mapping[str, Any], now: datetime) -> tuple[Account, ProfileChanged]:
    """Change the name, phone number, locale, time zone or preferences."""
    account.require_active()
    return change_preferences(account, now, **changes)


def change_preferences(account: Account, now: datetime, **changes: Any) -> tuple[Account, ProfileChanged]:
    """Change what a customer can change even of a deactivated account, by a link in a mail."""
    changed = account.next_version(now, **changes)
    return changed, ProfileChanged(
        customer_id=changed.id,
        name=changed.name,
        locale=changed.locale,
        marketing=changed.marketing,
        order_updates=changed.order_updates,
        time_zone=changed.time_zone,
    )


def change_addresses(
    account: Account, addresses: tuple[SavedAddress, ...], now: datetime
) -> tuple[Account, AddressesChanged]:
    """Replace the addresses; other services need to know the defaults."""
    account.require_active()
    shipping, billing = default_address(addresses, "shipping"), default_address(addresses, "billing")
    event = AddressesChanged(customer_id=account.id, shipping=shipping, billing=billing)
    return account.next_version(now, addresses=addresses), event


def default_address(addresses: Sequence[SavedAddress], use: Use) -> Address | None:
    """The default for a use, if there is any address."""
    return next((one.address for one in addresses if getattr(one, use)), None)


def new_address(address_id: UUID, address: Address, uses: Sequence[Use]) -> SavedAddress:
    """An address that is to be the default for these uses."""
    fields = {name: getattr(address, name) for name in Address.model_fields}
    return SavedAddress(id=address_id, **fields, shipping="shipping" in uses, billing="billing" in uses, revision=1)


def put_address(addresses: Sequence[SavedAddress], new: SavedAddress) -> tuple[SavedAddress, ...]:
    """The addresses with one added, or replaced in its place."""
    if new.id not in {one.id for one in addresses}:
        return _with_defaults([*addresses, new], addresses, new)
    return _with_defaults([new if one.id == new.id else one for one in addresses], addresses, new)


def remove_address(addresses: Sequence[SavedAddress], address_id: UUID) -> tuple[SavedAddress, ...]:
    """The addresses without one; the oldest of the others becomes the default for its uses."""
    return _with_defaults([one for one in addresses if one.id != address_id], addresses, None)


def _with_defaults(
    addresses: Sequence[SavedAddress], before: Sequence[SavedAddress], new: SavedAddress | None
) -> tuple[SavedAddress, ...]:
    shipping, billing = _default_id(addresses, "shipping", new), _default_id(addresses, "billing", new)
    known = {one.id: one for one in before}
    flagged = [replace(one, shipping=one.id == shipping, billing=one.id == billing) for one in addresses]
    return tuple(_with_revision(one, known.get(one.id)) for one in flagged)


def _default_id(addresses: Sequence[SavedAddress], use: Use, new: SavedAddress | None) -> UUID | None:
    if new and getattr(new, use):
        return new.id
    flagged = [one for one in addresses if getattr(one, use)]
    return next((one.id for one in [*flagged, *addresses]), None)


def _with_revision(address: SavedAddress, before: SavedAddress | None) -> SavedAddress:
    """The next revision if anything changed, even if the address is only no longer a default."""
    if before is None:
        return replace(address, revision=1)
    unchanged = replace(address, revision=before.revision) == before
    return before if unchanged else replace(address, revision=before.revision + 1)
