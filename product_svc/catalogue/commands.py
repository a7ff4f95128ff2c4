"""What can be done with categories and products. Each decides in a transaction that it neither opens nor ends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict, Unpack
from uuid import UUID

from chassis.http.preconditions import unchanged_since
from product_svc.catalogue import domain
from product_svc.catalogue.attributes import faults
from product_svc.catalogue.domain import Attributes, Category, Product, Status, Variant
from product_svc.domain import Stock
from product_svc.errors import (
    AttributesDoNotFit,
    CategoryInItself,
    CategoryNotEmpty,
    CategoryUnknown,
    NoSuchCategory,
    ProductUnknown,
    SkuTaken,
    TooDeep,
)
from product_svc.store import Warehouse
from schemas.values import Variant as PricedSku

MAX_DEPTH = 10
MAX_FAULTS = 20


class Details(TypedDict, total=False):
    """What a product may have beyond its name, attributes and variants."""

    description: str
    category_id: UUID | None
    images: tuple[str, ...]
    status: Status


def want_product(unit: Warehouse, product_id: UUID, skus: Sequence[str], category_id: UUID | None = None) -> None:
    """Want what ``create_product``, ``change_product`` and ``put_variants`` look at."""
    unit.products.prefetch(product_id)
    unit.stock.prefetch(*skus)
    if category_id:
        unit.categories.prefetch(category_id)


def create_product(
    unit: Warehouse,
    product_id: UUID,
    name: str,
    attributes: Attributes,
    variants: Sequence[Variant | PricedSku],
    **details: Unpack[Details],
) -> Product:
    """Put a product in the catalogue, with no stock yet.

    Raise ``SkuTaken``, ``NoSuchCategory``, ``AttributesDoNotFit``.
    """
    product = Product(
        product_id, name, attributes, tuple(_stated(variant) for variant in variants), 1, unit.now, **details
    )
    _take_skus(unit, product.variants)
    _note_for_sale(unit, product)
    _check_fit(unit, product)
    _recount(unit, None, product.category_id)
    unit.products.set(product.id, product)
    unit.emit(domain.create(product), product.version, product.changed_at)
    return product


def change_product(unit: Warehouse, product_id: UUID, if_match: str | None, changes: Mapping[str, Any]) -> Product:
    """Replace fields of a product; what is as it was before changes nothing.

    Raise ``ProductUnknown``, ``PreconditionFailed``, ``StatusNotPossible``, ``NoSuchCategory``,
    ``AttributesDoNotFit``, ``TooManyVariants``, ``ProductTooLarge``, and for variants that are new ``SkuTaken``.
    """
    product = unit.products.get(product_id)
    if product is None:
        raise ProductUnknown
    unchanged_since(if_match, product.version)
    changed = product.change(unit.now, **changes)
    if changed is None:
        return product
    after, event = changed
    known = {variant.sku for variant in product.variants}
    _take_skus(unit, [variant for variant in after.variants if variant.sku not in known])
    if changes.keys() & {"attributes", "category_id", "variants"}:
        # Not at other changes: what no longer fits a schema that was changed must still be discontinued.
        _check_fit(unit, after)
    _recount(unit, product.category_id, after.category_id)
    _note_for_sale(unit, after)
    unit.products.set(after.id, after)
    unit.emit(event, after.version, after.changed_at)
    return after


def put_variant(unit: Warehouse, product_id: UUID, if_match: str | None, variant: Variant) -> tuple[Product, bool]:
    """Add or replace a variant; return the product and whether the variant is new. Raises as ``change_product``."""
    product = unit.products.get(product_id)
    if product is None:
        raise ProductUnknown
    new = variant.sku not in {known.sku for known in product.variants}
    variants = product.with_variants([variant])
    return change_product(unit, product_id, if_match, {"variants": variants}), new


def create_category(
    unit: Warehouse, category_id: UUID, name: str, parent_id: UUID | None, schema: Mapping[str, Any] | None
) -> Category:
    """Put a category into the tree; raise ``NoSuchCategory``, ``TooDeep``."""
    category = Category(category_id, name, parent_id, schema, 1, unit.now)
    _put_under(unit, category, None)
    unit.categories.set(category.id, category)
    return category


def change_category(unit: Warehouse, category_id: UUID, if_match: str | None, changes: Mapping[str, Any]) -> Category:
    """Replace fields of a category. Products that are in it keep their attributes, fitting or not.

    Raise ``CategoryUnknown``, ``PreconditionFailed``, ``NoSuchCategory``, ``CategoryInItself``, ``TooDeep``.
    """
    category = _category(unit, category_id, CategoryUnknown)
    unchanged_since(if_match, category.version)
    changed = category.change(unit.now, **changes)
    if changed is None:
        return category
    if changed.parent_id != category.parent_id:
        _put_under(unit, changed, category.parent_id)
    unit.categories.set(changed.id, changed)
    return changed


def remove_category(unit: Warehouse, category_id: UUID, if_match: str | None) -> None:
    """Take an empty category away; raise ``CategoryUnknown``, ``PreconditionFailed``, ``CategoryNotEmpty``."""
    category = _category(unit, category_id, CategoryUnknown)
    unchanged_since(if_match, category.version)
    if category.products or category.children:
        raise CategoryNotEmpty(products=category.products, children=category.children)
    _count_child(unit, category.parent_id, -1)
    unit.categories.set(category.id, replace(category, removed=True))


def _stated(variant: Variant | PricedSku) -> Variant:
    return variant if isinstance(variant, Variant) else Variant(variant.sku, variant.price)


def _take_skus(unit: Warehouse, variants: Sequence[Variant]) -> None:
    taken = [variant.sku for variant in variants if unit.stock.get(variant.sku)]
    if taken:
        raise SkuTaken(skus=taken)
    for variant in variants:
        unit.stock.set(variant.sku, Stock(variant.sku, 0, 0, 0, unit.now))


def _note_for_sale(unit: Warehouse, product: Product) -> None:
    """Note at the stock what can be ordered: reservations look there, and at no product."""
    sold = {variant.sku for variant in product.for_sale}
    for variant in product.variants:
        stock = unit.stock.get(variant.sku)
        if stock and stock.discontinued != (variant.sku not in sold):
            unit.stock.set(stock.sku, replace(stock, discontinued=not stock.discontinued))


def _check_fit(unit: Warehouse, product: Product) -> None:
    """Hold what every variant is, the product's attributes with its own over them, against the schema."""
    if product.category_id is None:
        return
    schema = _category(unit, product.category_id, NoSuchCategory).schema
    if schema is None:
        return
    wrong = [
        f"{variant.sku}: {fault}"
        for variant in product.variants
        for fault in faults(schema, {**product.attributes, **variant.attributes})
    ]
    if wrong:
        raise AttributesDoNotFit(faults=wrong[:MAX_FAULTS])


def _recount(unit: Warehouse, before: UUID | None, after: UUID | None) -> None:
    """Note in the categories that a product has moved: whoever removes one at the same time conflicts."""
    if before == after:
        return
    for category_id, more in ((before, -1), (after, 1)):
        if category_id:
            category = _category(unit, category_id, NoSuchCategory)
            unit.categories.set(category.id, replace(category, products=category.products + more))


def _put_under(unit: Warehouse, category: Category, parent_before: UUID | None) -> None:
    """Check that a category can stand where it wants to, and count it there."""
    above, depth = category.parent_id, 1
    while above:
        if above == category.id:
            raise CategoryInItself
        above, depth = _category(unit, above, NoSuchCategory).parent_id, depth + 1
    # What hangs below a category that is moved is not counted: it may come to lie deeper.
    if depth > MAX_DEPTH:
        raise TooDeep(limit=MAX_DEPTH)
    _count_child(unit, parent_before, -1)
    _count_child(unit, category.parent_id, 1)


def _count_child(unit: Warehouse, parent_id: UUID | None, more: int) -> None:
    if parent_id and (parent := unit.categories.get(parent_id)):
        unit.categories.set(parent.id, replace(parent, children=parent.children + more))


def _category(unit: Warehouse, category_id: UUID, missing: Callable[[], Exception]) -> Category:
    category = unit.categories.get(category_id)
    if category is None or category.removed:
        raise missing()
    return category
