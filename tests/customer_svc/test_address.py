"""Addresses and their defaults, without any I/O."""

from uuid import UUID

from customer_svc.domain.address import Entry, Use, default, entry, put, remove
from schemas import Address

HOME, WORK, CABIN = (UUID(int=n) for n in (1, 2, 3))


def address(street: str) -> Address:
    return Address(name="Ada", street=street, city="London", postal_code="SW1Y", country="GB")


def of(address_id: UUID, *uses: Use, street: str = "A Street 1") -> Entry:
    return entry(address_id, address(street), uses)


def defaults(entries: tuple[Entry, ...]) -> tuple[list[UUID], list[UUID]]:
    return [one.id for one in entries if one.shipping], [one.id for one in entries if one.billing]


def test_the_first_address_is_the_default_for_everything() -> None:
    entries = put((), of(HOME))
    assert defaults(entries) == ([HOME], [HOME])
    assert (default(entries, "shipping"), entries[0].revision) == (address("A Street 1"), 1)


def test_a_later_address_is_the_default_for_what_it_says_alone() -> None:
    entries = put(put((), of(HOME)), of(WORK, "billing"))
    assert defaults(entries) == ([HOME], [WORK])
    assert [one.revision for one in entries] == [2, 1], "one is no default any more, the other is new"


def test_an_address_changed_keeps_its_place_and_gets_the_next_revision() -> None:
    entries = put(put(put((), of(HOME)), of(WORK)), of(HOME, "shipping", "billing", street="B Street 2"))
    assert [(one.id, one.street, one.revision) for one in entries] == [
        (HOME, "B Street 2", 2),
        (WORK, "A Street 1", 1),
    ]


def test_an_address_put_as_it_is_keeps_its_revision() -> None:
    entries = put((), of(HOME, "shipping", "billing"))
    assert put(entries, of(HOME, "shipping", "billing")) == entries


def test_the_only_default_cannot_be_given_up_without_another() -> None:
    assert defaults(put(put((), of(HOME)), of(HOME))) == ([HOME], [HOME])


def test_of_a_removed_default_the_oldest_other_takes_over() -> None:
    entries = put(put(put((), of(HOME)), of(WORK, "shipping", "billing")), of(CABIN))
    left = remove(entries, WORK)
    assert defaults(left) == ([HOME], [HOME])
    assert remove(remove(left, HOME), CABIN) == ()
    assert default((), "billing") is None
