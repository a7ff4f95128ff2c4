"""What the REST API of the catalogue answers."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chassis.http.bodies import ResponseBody
from chassis.http.examples import ID
from chassis.http.paging import Page
from product_svc.catalogue.domain import Category, Product, Scalar, Status, Variant, VariantStatus
from schemas import Money

Attributes = Annotated[dict[str, Scalar | list[str]], Field(examples=[{"material": "stoneware"}])]
Images = Annotated[list[str], Field(examples=[["https://img.example/mug.jpg"]])]
Count = Annotated[int, Field(examples=[3])]


class VariantOut(ResponseBody):
    """What can be put in a basket."""

    sku: Annotated[str, Field(examples=["MUG-BLUE"])]
    price: Money
    attributes: Attributes
    images: Images
    status: VariantStatus


class ProductOut(ResponseBody):
    """A product of the catalogue."""

    id: UUID
    name: Annotated[str, Field(examples=["Mug"])]
    description: Annotated[str, Field(examples=["Holds a third of a litre."])]
    category_id: UUID | None
    attributes: Attributes
    images: Images
    status: Status
    variants: list[VariantOut]
    version: Count


class ProductsOut(Page[ProductOut, str]):
    """A page of the catalogue; ``next`` is the ``after`` of the page that follows, if there is one."""

    next: Annotated[str | None, Field(examples=[ID])]


class CategoryOut(ResponseBody):
    """A category; ``products`` and ``children`` count what is directly in it, drafts included."""

    id: UUID
    name: Annotated[str, Field(examples=["Mugs"])]
    parent_id: UUID | None
    attributes_schema: Annotated[
        dict[str, Any] | None,
        Field(examples=[{"type": "object", "properties": {"material": {"type": "string"}}}]),
    ]
    products: Count
    children: Count
    version: Count


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
