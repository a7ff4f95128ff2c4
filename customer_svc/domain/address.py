"""The addresses of a customer: several, of which one is where things are sent by default, and one the bills."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from schemas import Address

Use = Literal["shipping", "billing"]
USES: tuple[Use, ...] = ("shipping", "billing")

MOST = 20
"""Addresses of one account."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One address. Whenever there are any, one of them is the default for each use."""

    id: UUID
    name: str
    street: str
    city: str
    postal_code: str
    country: str
    shipping: bool
    billing: bool
    revision: int

    @property
    def address(self) -> Address:
        """As events and orders have it."""
        return Address(
            name=self.name,
            street=self.street,
            city=self.city,
            postal_code=self.postal_code,
            country=self.country,
        )


def entry(address_id: UUID, address: Address, uses: Sequence[Use]) -> Entry:
    """A new address."""
    told = (address.name, address.street, address.city, address.postal_code, address.country)
    return Entry(address_id, *told, "shipping" in uses, "billing" in uses, 1)


def put(entries: Sequence[Entry], new: Entry) -> tuple[Entry, ...]:
    """With an address added, or changed where it stands."""
    if new.id not in {one.id for one in entries}:
        return _settled([*entries, new], entries, new)
    return _settled([new if one.id == new.id else one for one in entries], entries, new)


def remove(entries: Sequence[Entry], address_id: UUID) -> tuple[Entry, ...]:
    """Without an address. What it was the default for, the oldest of the others is now."""
    return _settled([one for one in entries if one.id != address_id], entries, None)


def default(entries: Sequence[Entry], use: Use) -> Address | None:
    """Where to send things or bills, if there is any address."""
    return next((one.address for one in entries if getattr(one, use)), None)


def _settled(entries: Sequence[Entry], before: Sequence[Entry], new: Entry | None) -> tuple[Entry, ...]:
    shipping, billing = _default(entries, "shipping", new), _default(entries, "billing", new)
    known = {one.id: one for one in before}
    flagged = [replace(one, shipping=one.id == shipping, billing=one.id == billing) for one in entries]
    return tuple(_revised(one, known.get(one.id)) for one in flagged)


def _default(entries: Sequence[Entry], use: Use, new: Entry | None) -> UUID | None:
    if new and getattr(new, use):
        return new.id
    flagged = [one for one in entries if getattr(one, use)]
    return next((one.id for one in [*flagged, *entries]), None)


def _revised(entry: Entry, before: Entry | None) -> Entry:
    """The next revision of what is not as it was before, be it only no default any more."""
    if before is None:
        return replace(entry, revision=1)
    same = replace(entry, revision=before.revision) == before
    return before if same else replace(entry, revision=before.revision + 1)
