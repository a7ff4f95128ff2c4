"""What the REST API of the catalogue answers."""

from typing import Any
from uuid import UUID

from chassis.paging import Page
from chassis.rest import Answer
from product_svc.catalogue.domain import Category, Product, Scalar, Status, Variant, VariantStatus
from schemas import Money


class VariantOut(Answer):
    """What can be put in a basket."""

    sku: str
    price: Money
    attributes: dict[str, Scalar | list[str]]
    images: list[str]
    status: VariantStatus


class ProductOut(Answer):
    """A product of the catalogue."""

    id: UUID
    name: str
    description: str
    category_id: UUID | None
    attributes: dict[str, Scalar | list[str]]
    images: list[str]
    status: Status
    variants: list[VariantOut]
    version: int


class ProductsOut(Page[ProductOut, str]):
    """A page of the catalogue; ``next`` is the ``after`` of the page that follows, if there is one."""


class CategoryOut(Answer):
    """A category; ``products`` and ``children`` count what is directly in it, drafts included."""

    id: UUID
    name: str
    parent_id: UUID | None
    attributes_schema: dict[str, Any] | None
    products: int
    children: int
    version: int


class CategoriesOut(Page[CategoryOut, UUID]):
    """A page of the categories; ``next`` is the ``after`` of the page that follows, if there is one."""


def product_out(product: Product) -> ProductOut:
    """A product as everybody sees it."""
    return ProductOut(
        id=product.id,
        name=product.name,
        description=product.description,
        category_id=product.category_id,
        attributes=dict(product.attributes),
        images=list(product.images),
        status=product.status,
        variants=[_variant_out(variant) for variant in product.variants],
        version=product.version,
    )


def _variant_out(variant: Variant) -> VariantOut:
    return VariantOut(
        sku=variant.sku,
        price=variant.price,
        attributes=dict(variant.attributes),
        images=list(variant.images),
        status=variant.status,
    )


def category_out(category: Category) -> CategoryOut:
    """A category as everybody sees it."""
    return CategoryOut(
        id=category.id,
        name=category.name,
        parent_id=category.parent_id,
        attributes_schema=dict(category.schema) if category.schema is not None else None,
        products=category.products,
        children=category.children,
        version=category.version,
    )
