"""The rules of products and categories, without any I/O."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from product_svc.catalogue.domain import MAX_VARIANTS, TRANSITIONS, Product, Variant, creation_event
from product_svc.errors import TooManyVariants, TransitionNotAllowed
from schemas import Money, ProductChanged, ProductCreated, ProductDrafted
from schemas.values import Offer
from schemas.values import Variant as PricedSku

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
ID = UUID(int=1)
PRICE = Money(amount=1250, currency="EUR")
MUG, CUP = Variant("MUG", PRICE, {"colour": "blue"}), Variant("CUP", PRICE, status="discontinued")


def product(*variants: Variant, **fields: Any) -> Product:
    return replace(Product(ID, "Mug", {"size": 1}, variants or (MUG,), 3, NOW), **fields)


def test_a_new_product_is_published_with_the_variants_that_can_be_ordered() -> None:
    event = creation_event(product(MUG, CUP))
    assert event == ProductCreated(product_id=ID, name="Mug", variants=(PricedSku(sku="MUG", price=PRICE),))


@pytest.mark.parametrize("made", [product(status="draft"), product(CUP)], ids=["draft", "nothing for sale"])
def test_a_product_of_which_nothing_can_be_ordered_is_published_as_a_draft(made: Product) -> None:
    assert creation_event(made) == ProductDrafted(product_id=ID, name="Mug")


def test_a_change_raises_the_version_and_publishes_what_other_services_need() -> None:
    changed = product(MUG, CUP).change(LATER, name="Jug")
    assert changed == (
        product(MUG, CUP, name="Jug", version=4, changed_at=LATER),
        ProductChanged(
            product_id=ID,
            name="Jug",
            status="active",
            offers=(Offer(sku="MUG", price=PRICE, for_sale=True), Offer(sku="CUP", price=PRICE, for_sale=False)),
        ),
    )


def test_nothing_of_a_discontinued_product_is_for_sale() -> None:
    changed = product(MUG).change(LATER, status="discontinued")
    assert changed
    assert [offer.for_sale for offer in changed[1].offers] == [False]
    assert changed[0].for_sale == ()


@pytest.mark.parametrize("changes", [{}, {"name": "Mug"}, {"status": "active"}, {"attributes": {"size": 1}}])
def test_equal_values_are_no_change(changes: dict[str, Any]) -> None:
    assert product().change(LATER, **changes) is None


@pytest.mark.parametrize("size", [1.0, True, "1"])
def test_a_value_of_another_type_is_a_change(size: object) -> None:
    assert product().change(LATER, attributes={"size": size})


@pytest.mark.parametrize(("old", "new"), [(old, new) for old in TRANSITIONS for new in TRANSITIONS if old != new])
def test_a_status_changes_only_as_the_table_says(old: Any, new: Any) -> None:
    if new in TRANSITIONS[old]:
        assert product(status=old).change(LATER, status=new)
        return
    with pytest.raises(TransitionNotAllowed) as refused:
        product(status=old).change(LATER, status=new)
    assert refused.value.extra == {"current": old, "allowed": sorted(TRANSITIONS[old])}


def test_a_variant_keeps_its_place_when_it_is_replaced() -> None:
    dear = replace(MUG, price=Money(amount=9, currency="EUR"))
    assert product(MUG, CUP).with_variants([dear]) == (dear, CUP)
    assert product(MUG).with_variants([CUP]) == (MUG, CUP)


def test_variants_are_limited() -> None:
    many = tuple(Variant(f"SKU-{n}", PRICE) for n in range(MAX_VARIANTS + 1))
    with pytest.raises(TooManyVariants):
        product().change(LATER, variants=many)
