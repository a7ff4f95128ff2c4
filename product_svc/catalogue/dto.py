"""The REST bodies of products."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, model_validator

from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.fields import CurrencyCode, Prose
from product_svc.catalogue.domain import MAX_VARIANTS, Product, Scalar, Status, Variant, VariantStatus
from product_svc.categories.attribute_dto import (
    NO_OTHER_NAMES,
    AttributeFloat,
    AttributeName,
    AttributeNumber,
    AttributeText,
    CategoryId,
    Name,
    Patch,
)
from product_svc.stock.domain import Availability, Stock
from schemas import Money
from schemas.values import Sku

AttributeValue = (
    AttributeText | bool | AttributeNumber | AttributeFloat | Annotated[list[AttributeText], Field(max_length=100)]
)
AttributesBody = Annotated[
    dict[AttributeName, AttributeValue],
    Field(max_length=100, examples=[{"material": "stoneware"}], json_schema_extra=dict(NO_OTHER_NAMES)),
]
ImageUrl = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?$", max_length=2000)]
ImagesBody = Annotated[list[ImageUrl], Field(max_length=20, examples=[["https://img.example/mug.jpg"]])]
Description = Annotated[Prose, Field(max_length=5000, examples=["Holds a third of a litre."])]
AttributesOut = Annotated[dict[str, Scalar | list[str]], Field(examples=[{"material": "stoneware"}])]
ImagesOut = Annotated[list[str], Field(examples=[["https://img.example/mug.jpg"]])]


class Price(RequestBody):
    """A price in integer minor units of its currency (ISO 4217): 1250 is 12.50 EUR, 1250 JPY, 1.250 KWD."""

    amount: Annotated[int, Field(ge=1, le=1_000_000_000, examples=[1250])]
    currency: Annotated[CurrencyCode, Field(examples=["EUR"])]


class VariantFields(RequestBody):
    """A variant without its SKU."""

    price: Price
    attributes: AttributesBody = Field(default_factory=dict)
    images: ImagesBody = Field(default_factory=list)
    status: VariantStatus = "active"

    def to_variant(self, sku: str) -> Variant:
        """The variant as a value."""
        price = Money(amount=self.price.amount, currency=self.price.currency)
        return Variant(sku, price, self.attributes, tuple(self.images), self.status)


class VariantBody(VariantFields):
    """A variant, which can be ordered by its SKU. Its attributes override those of the product."""

    sku: Annotated[Sku, Field(examples=["MUG-BLUE"])]


Variants = Annotated[list[VariantBody], Field(min_length=1, max_length=MAX_VARIANTS)]


def check_skus_differ(variants: Sequence[VariantBody]) -> None:
    """Raise ``ValueError`` if two variants have the same SKU."""
    if len({variant.sku for variant in variants}) < len(variants):
        raise ValueError("every variant needs its own SKU")


class ProductBody(RequestBody):
    """A product with its variants. Only staff can see a draft; an active product can be ordered."""

    name: Name
    description: Description = ""
    category_id: CategoryId | None = None
    attributes: AttributesBody = Field(default_factory=dict)
    images: ImagesBody = Field(default_factory=list)
    status: Literal["draft", "active"] = "active"
    variants: Variants

    @model_validator(mode="after")
    def _skus_differ(self) -> "ProductBody":
        check_skus_differ(self.variants)
        return self

    def to_variants(self) -> list[Variant]:
        """The variants as values."""
        return [variant.to_variant(variant.sku) for variant in self.variants]


class ProductPatch(Patch):
    """A change of a product. Attributes and images are replaced as a whole; variants have their own route."""

    name: Name = Field(default_factory=str)
    description: Description = Field(default_factory=str)
    category_id: CategoryId | None = None
    attributes: AttributesBody = Field(default_factory=dict)
    images: ImagesBody = Field(default_factory=list)
    status: Status = Field(default_factory=lambda: "active")

    def changes(self) -> dict[str, Any]:
        """Field → value, of those that were sent."""
        sent = {name: getattr(self, name) for name in self.model_fields_set}
        return sent | ({"images": tuple(self.images)} if "images" in sent else {})


class VariantOut(ResponseBody):
    """A variant, which can be ordered by its SKU."""

    sku: Annotated[str, Field(examples=["MUG-BLUE"])]
    price: Money
    attributes: AttributesOut
    images: ImagesOut
    status: VariantStatus


class ProductOut(ResponseBody):
    """A product of the catalogue."""

    id: UUID
    name: Annotated[str, Field(examples=["Mug"])]
    description: Annotated[str, Field(examples=["Holds a third of a litre."])]
    category_id: UUID | None
    attributes: AttributesOut
    images: ImagesOut
    status: Status
    variants: tuple[VariantOut, ...]
    version: Annotated[int, Field(examples=[3])]


class EntryVariantOut(VariantOut):
    """A variant in the catalogue."""

    availability: Annotated[
        Availability,
        Field(
            description="`low`: no more units than the threshold; `none`: cannot be ordered", examples=["in_stock"]
        ),
    ]
    available: Annotated[int | None, Field(description="units; only for staff, else null", examples=[38])]


class EntryOut(ProductOut):
    """An entry of the catalogue: a product, and whether its variants are available; `version` is the product's."""

    variants: tuple[EntryVariantOut, ...]
    created_at: datetime
    updated_at: Annotated[datetime, Field(description="when the product was changed last, not its stock")]


def product_out(product: Product) -> ProductOut:
    """The body for a product."""
    return ProductOut(**_fields(product), variants=tuple(VariantOut(**_variant(one)) for one in product.variants))


def entry_out(product: Product, stock: Mapping[str, Stock], *, numbers: bool) -> EntryOut:
    """The body for an entry of the catalogue; ``stock`` is by SKU. Without ``numbers`` it tells none."""
    variants = tuple(_entry_variant(one, stock.get(one.sku), numbers=numbers) for one in product.variants)
    created_at = product.created_at or product.changed_at
    return EntryOut(**_fields(product), variants=variants, created_at=created_at, updated_at=product.changed_at)


def _fields(product: Product) -> dict[str, Any]:
    return {
        "id": product.id,
        "name": product.name,
        "description": product.description,
        "category_id": product.category_id,
        "attributes": dict(product.attributes),
        "images": list(product.images),
        "status": product.status,
        "version": product.version,
    }


def _variant(variant: Variant) -> dict[str, Any]:
    return {
        "sku": variant.sku,
        "price": variant.price,
        "attributes": dict(variant.attributes),
        "images": list(variant.images),
        "status": variant.status,
    }


def _entry_variant(variant: Variant, stock: Stock | None, *, numbers: bool) -> EntryVariantOut:
    return EntryVariantOut(
        **_variant(variant),
        availability=stock.availability if stock else "none",
        available=stock.available if stock and numbers else None,
    )
