"""What staff does with products."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, ClassVar
from uuid import UUID

from chassis.http.preconditions import PreconditionFailed, PreconditionRequired, unchanged_since
from product_svc.catalogue.domain import Attributes, Product, Status, Variant, creation_event
from product_svc.categories.attribute_schema import missing, violations_of
from product_svc.categories.commands import move_product, referenced_category
from product_svc.errors import (
    InvalidAttributes,
    NoSuchCategory,
    ProductNotFound,
    ProductTooLarge,
    SkuTaken,
    TooManyVariants,
    TransitionNotAllowed,
)
from product_svc.stock.domain import Stock
from product_svc.unit_of_work import ProductUnitOfWork

MAX_VIOLATIONS = 20


@dataclass(frozen=True, slots=True)
class CreateProduct:
    """Add a product to the catalogue; the stock of its SKUs starts at zero."""

    errors: ClassVar = (SkuTaken, NoSuchCategory, InvalidAttributes)
    product_id: UUID
    name: str
    attributes: Attributes
    variants: Sequence[Variant]
    description: str = ""
    category_id: UUID | None = None
    images: tuple[str, ...] = ()
    status: Status = "active"

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The product, its category and the stock of its SKUs: they must not exist yet."""
        prefetch_product(uow, self.product_id, _skus(self.variants), self.category_id)

    def execute(self, uow: ProductUnitOfWork) -> Product:
        """Return the product; publish ``ProductCreated`` or ``ProductDrafted``."""
        product = Product(
            self.product_id,
            self.name,
            self.attributes,
            tuple(self.variants),
            1,
            uow.now,
            self.description,
            self.category_id,
            self.images,
            self.status,
            uow.now,
        )
        _create_stock(uow, product.variants)
        _describe_stock(uow, product)
        _check_attributes(uow, product)
        move_product(uow, None, product.category_id)
        uow.products.set(product.id, product)
        uow.emit(creation_event(product), product.version, product.changed_at)
        return product


@dataclass(frozen=True, slots=True)
class UpdateProduct:
    """Replace fields of a product, other than its variants."""

    errors: ClassVar = (
        *(ProductNotFound, PreconditionFailed, PreconditionRequired),
        *(TransitionNotAllowed, NoSuchCategory, InvalidAttributes, ProductTooLarge),
    )
    product_id: UUID
    if_match: str | None
    changes: Mapping[str, Any]

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The product, and its new category."""
        prefetch_product(uow, self.product_id, (), self.changes.get("category_id"))

    def execute(self, uow: ProductUnitOfWork) -> Product:
        """Return the product; publish ``ProductChanged`` if anything is different."""
        return _change(uow, _existing(uow, self.product_id), self.if_match, self.changes)


@dataclass(frozen=True, slots=True)
class PutVariant:
    """Add a variant to a product, or replace it."""

    errors: ClassVar = (
        *(ProductNotFound, PreconditionFailed, PreconditionRequired),
        *(SkuTaken, TooManyVariants, ProductTooLarge, InvalidAttributes),
    )
    product_id: UUID
    if_match: str | None
    variant: Variant

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The product, and the stock of the SKU."""
        prefetch_product(uow, self.product_id, [self.variant.sku])

    def execute(self, uow: ProductUnitOfWork) -> tuple[Product, bool]:
        """Return the product, and whether the variant is new; publish as ``UpdateProduct``."""
        product = _existing(uow, self.product_id)
        new = self.variant.sku not in {known.sku for known in product.variants}
        variants = product.with_variants([self.variant])
        return _change(uow, product, self.if_match, {"variants": variants}), new


@dataclass(frozen=True, slots=True)
class MergeProduct:
    """Replace fields of a product, and add or replace variants."""

    errors: ClassVar = (*UpdateProduct.errors, SkuTaken, TooManyVariants)
    product_id: UUID
    if_match: str | None
    changes: Mapping[str, Any]
    variants: Sequence[Variant]

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The product, its new category and the stock of the SKUs."""
        prefetch_product(uow, self.product_id, _skus(self.variants), self.changes.get("category_id"))

    def execute(self, uow: ProductUnitOfWork) -> Product:
        """Return the product; publish as ``UpdateProduct``."""
        product = _existing(uow, self.product_id)
        changes = {**self.changes, "variants": product.with_variants(self.variants)}
        return _change(uow, product, self.if_match, changes)


def prefetch_product(
    uow: ProductUnitOfWork, product_id: UUID, skus: Iterable[str], category_id: UUID | None = None
) -> None:
    """A product with its category and the stock of its SKUs, the stock of further SKUs, and a new category."""
    uow.products.prefetch(product_id)
    uow.stock.prefetch(*skus)
    if category_id:
        uow.categories.prefetch(category_id)


def _skus(variants: Iterable[Variant]) -> list[str]:
    return [variant.sku for variant in variants]


def _existing(uow: ProductUnitOfWork, product_id: UUID) -> Product:
    product = uow.products.get(product_id)
    if product is None:
        raise ProductNotFound
    return product


def _change(uow: ProductUnitOfWork, product: Product, if_match: str | None, changes: Mapping[str, Any]) -> Product:
    unchanged_since(if_match, product.version)
    changed = product.change(uow.now, **changes)
    if changed is None:
        return product
    after, event = changed
    known = {variant.sku for variant in product.variants}
    _create_stock(uow, [variant for variant in after.variants if variant.sku not in known])
    if changes.keys() & {"attributes", "category_id", "variants"}:
        # Not at other changes: a product that no longer matches a changed schema can still be discontinued.
        _check_attributes(uow, after)
    move_product(uow, product.category_id, after.category_id)
    _describe_stock(uow, after)
    uow.products.set(after.id, after)
    uow.emit(event, after.version, after.changed_at)
    return after


def _create_stock(uow: ProductUnitOfWork, variants: Sequence[Variant]) -> None:
    taken = [variant.sku for variant in variants if uow.stock.get(variant.sku)]
    if taken:
        raise SkuTaken(skus=taken)
    for variant in variants:
        uow.stock.set(variant.sku, Stock(variant.sku, 0, 0, 0, uow.now))


def _describe_stock(uow: ProductUnitOfWork, product: Product) -> None:
    """Store with the stock whether it is for sale, and what it is: reservations load the stock, and no products."""
    for_sale = {variant.sku for variant in product.for_sale}
    for variant in product.variants:
        stock = uow.stock.get(variant.sku)
        if stock is None:
            continue
        described = replace(stock, discontinued=variant.sku not in for_sale, product_name=product.name)
        if described != stock:
            uow.stock.set(stock.sku, described)


def _check_attributes(uow: ProductUnitOfWork, product: Product) -> None:
    """Validate what every variant has, the product's attributes overridden by its own, against the schema."""
    if product.category_id is None:
        return
    schema = referenced_category(uow, product.category_id).schema
    if schema is None:
        return
    # Those of the product once, not again for each variant: they can be long.
    shared = {name: list(violations_of(schema, name, value)) for name, value in product.attributes.items()}
    found: list[str] = []
    for variant in product.variants:
        own = {name: violations_of(schema, name, value) for name, value in variant.attributes.items()}
        wrong = [*missing(schema, shared.keys() | own), *chain.from_iterable({**shared, **own}.values())]
        found += (f"{variant.sku}: {violation}" for violation in wrong)
    if found:
        raise InvalidAttributes(faults=found[:MAX_VIOLATIONS])
