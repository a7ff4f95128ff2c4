"""Addresses and their defaults, without any I/O."""

from uuid import UUID

from customer_svc.accounts.domain import SavedAddress
from customer_svc.profiles.domain import Use, default_address, new_address, put_address, remove_address
from schemas import Address

HOME, WORK, CABIN = (UUID(int=n) for n in (1, 2, 3))


def address(street: str) -> Address:
    return Address(name="Ada", street=street, city="London", postal_code="SW1Y", country="GB")


def saved(address_id: UUID, *uses: Use, street: str = "A Street 1") -> SavedAddress:
    return new_address(address_id, address(street), uses)


def defaults(addresses: tuple[SavedAddress, ...]) -> tuple[list[UUID], list[UUID]]:
    return [one.id for one in addresses if one.shipping], [one.id for one in addresses if one.billing]


def test_the_first_address_is_the_default_for_everything() -> None:
    addresses = put_address((), saved(HOME))
    assert defaults(addresses) == ([HOME], [HOME])
    assert (default_address(addresses, "shipping"), addresses[0].revision) == (address("A Street 1"), 1)


def test_a_later_address_is_the_default_only_for_the_uses_it_names() -> None:
    addresses = put_address(put_address((), saved(HOME)), saved(WORK, "billing"))
    assert defaults(addresses) == ([HOME], [WORK])
    assert [one.revision for one in addresses] == [2, 1], "one is no longer a default, the other is new"


def test_a_changed_address_keeps_its_place_and_gets_the_next_revision() -> None:
    addresses = put_address(put_address((), saved(HOME)), saved(WORK))
    addresses = put_address(addresses, saved(HOME, "shipping", "billing", street="B Street 2"))
    assert [(one.id, one.street, one.revision) for one in addresses] == [
        (HOME, "B Street 2", 2),
        (WORK, "A Street 1", 1),
    ]


def test_an_unchanged_address_keeps_its_revision() -> None:
    addresses = put_address((), saved(HOME, "shipping", "billing"))
    assert put_address(addresses, saved(HOME, "shipping", "billing")) == addresses


def test_the_only_address_stays_the_default() -> None:
    assert defaults(put_address(put_address((), saved(HOME)), saved(HOME))) == ([HOME], [HOME])


def test_when_a_default_is_removed_the_oldest_other_address_becomes_the_default() -> None:
    addresses = put_address(put_address((), saved(HOME)), saved(WORK, "shipping", "billing"))
    rest = remove_address(put_address(addresses, saved(CABIN)), WORK)
    assert defaults(rest) == ([HOME], [HOME])
    assert remove_address(remove_address(rest, HOME), CABIN) == ()
    assert default_address((), "billing") is None
