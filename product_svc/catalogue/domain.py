"""Products: types and rules, without any I/O.

A product is sold in variants, each with a SKU of its own. A SKU means the same thing for ever, so a variant is
discontinued and never removed. Every change of a product is published.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from chassis.persistence.unit_of_work import next_time
from product_svc.errors import ProductTooLarge, TooManyVariants, TransitionNotAllowed
from schemas import Money, ProductChanged, ProductCreated, ProductDrafted
from schemas.values import Offer
from schemas.values import Variant as PricedSku

Scalar = str | int | float | bool
Attributes = Mapping[str, Scalar | list[str]]
Status = Literal["draft", "active", "discontinued"]
VariantStatus = Literal["active", "discontinued"]

MAX_VARIANTS = 100
MAX_SIZE = 1_000_000
"""Characters of a product's ``repr``: with its search fields, it must fit a document of 16 MiB."""

TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    "draft": frozenset({"active", "discontinued"}),
    "active": frozenset({"discontinued"}),
    "discontinued": frozenset({"active"}),
}
"""Status → the statuses that may follow: a product that was for sale is never a draft again."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One version of a product, with a SKU. Its attributes add to the product's, and override them."""

    sku: str
    price: Money
    attributes: Attributes = field(default_factory=dict)
    images: tuple[str, ...] = ()
    status: VariantStatus = "active"


@dataclass(frozen=True, slots=True)
class Product:
    """A product in one or more variants, each of which has a SKU and a price."""

    id: UUID
    name: str
    attributes: Attributes
    variants: tuple[Variant, ...]
    version: int
    changed_at: datetime
    description: str = ""
    category_id: UUID | None = None
    images: tuple[str, ...] = ()
    status: Status = "active"
    created_at: datetime | None = None
    """None in what an earlier release stored, until it is migrated."""

    @property
    def for_sale(self) -> tuple[Variant, ...]:
        """The variants that can be ordered now."""
        return tuple(v for v in self.variants if v.status == "active") if self.status == "active" else ()

    def change(self, now: datetime, **changes: Any) -> tuple["Product", ProductChanged] | None:
        """Replace fields; None where nothing is different.

        Raise ``TransitionNotAllowed``, ``TooManyVariants``, ``ProductTooLarge``.
        """
        changed = replace(self, **changes)
        # Not ``==``, by which 1, 1.0 and True are the same attribute.
        if repr(changed) == repr(self):
            return None
        changed.check_size()
        if changed.status != self.status and changed.status not in TRANSITIONS[self.status]:
            raise TransitionNotAllowed(current=self.status, allowed=sorted(TRANSITIONS[self.status]))
        changed = replace(changed, version=self.version + 1, changed_at=next_time(now, self.changed_at))
        return changed, ProductChanged(
            product_id=self.id, name=changed.name, status=changed.status, offers=changed.offers()
        )

    def check_size(self) -> None:
        """Raise ``TooManyVariants`` or ``ProductTooLarge``; a product that fits in one request is neither."""
        if len(self.variants) > MAX_VARIANTS:
            raise TooManyVariants(limit=MAX_VARIANTS)
        if len(repr(self)) > MAX_SIZE:
            raise ProductTooLarge(limit=MAX_SIZE)

    def with_variants(self, given: Sequence[Variant]) -> tuple[Variant, ...]:
        """The variants, with these in place of those with the same SKU, or after the others."""
        by_sku = {variant.sku: variant for variant in (*self.variants, *given)}
        return tuple(by_sku.values())

    def offers(self) -> tuple[Offer, ...]:
        """Every SKU, its price, and whether it can be ordered."""
        sold = {variant.sku for variant in self.for_sale}
        return tuple(Offer(sku=v.sku, price=v.price, for_sale=v.sku in sold) for v in self.variants)


def creation_event(product: Product) -> ProductCreated | ProductDrafted:
    """The event about a new product: which variants can be ordered, or that none can be yet."""
    if not product.for_sale:
        return ProductDrafted(product_id=product.id, name=product.name)
    priced = tuple(PricedSku(sku=v.sku, price=v.price) for v in product.for_sale)
    return ProductCreated(product_id=product.id, name=product.name, variants=priced)
