"""The bodies of product_svc's REST API."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from chassis.rest import Answer, Body
from product_svc.domain import Product, Scalar, Stock
from schemas import Money
from schemas.values import Currency, Sku, Text, Variant

MAX_QUANTITY = 1_000_000


def _no_whole_number(value: object) -> object:
    """Refuse what ``AttributeNumber`` refused: as a float, a large whole number would lose its last digits."""
    if isinstance(value, int):
        raise ValueError("whole numbers are kept exactly up to 2**53 - 1")
    return value


AttributeName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
AttributeNumber = Annotated[int, Field(ge=-(2**53) + 1, le=2**53 - 1)]
AttributeText = Annotated[Text, Field(max_length=2000)]
AttributeValue = (
    AttributeText
    | bool
    | AttributeNumber
    | Annotated[float, BeforeValidator(_no_whole_number), Field(allow_inf_nan=False)]
    | Annotated[list[AttributeText], Field(max_length=100)]
)


class Price(Body):
    """A price in integer minor units (cents)."""

    amount: Annotated[int, Field(ge=1, le=1_000_000_000, examples=[1250])]
    currency: Annotated[Currency, Field(examples=["EUR"])]


class VariantBody(Body):
    """What can be put in a basket."""

    sku: Annotated[Sku, Field(examples=["MUG-BLUE"])]
    price: Price


class ProductBody(Body):
    """A product with its variants."""

    name: Annotated[Text, Field(min_length=1, max_length=200, examples=["Mug"])]
    attributes: Annotated[
        dict[AttributeName, AttributeValue], Field(max_length=100, examples=[{"material": "stoneware"}])
    ] = Field(default_factory=dict)
    variants: Annotated[list[VariantBody], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _skus_differ(self) -> "ProductBody":
        skus = [variant.sku for variant in self.variants]
        if len(set(skus)) < len(skus):
            raise ValueError("every variant needs a SKU of its own")
        return self

    def priced(self) -> list[Variant]:
        """The variants as values."""
        return [
            Variant(sku=v.sku, price=Money(amount=v.price.amount, currency=v.price.currency)) for v in self.variants
        ]


class Adjustment(Body):
    """A change of what is on hand."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"delta": 10, "reason": "delivery"}]})

    delta: Annotated[int, Field(ge=-MAX_QUANTITY, le=MAX_QUANTITY, description="pieces; negative to take away")]
    reason: Literal["delivery", "count", "damage"]


class ProductOut(Answer):
    """A product of the catalogue."""

    id: UUID
    name: str
    attributes: dict[str, Scalar | list[str]]
    variants: list[Variant]
    version: int


class ProductsOut(Answer):
    """A page of the catalogue; ``next`` is the ``after`` of the page that follows, if there is one."""

    items: list[ProductOut]
    next: UUID | None


class StockOut(Answer):
    """The pieces of one SKU: available is what is on hand and not reserved."""

    sku: str
    on_hand: int
    reserved: int
    available: int


def product_out(product: Product) -> ProductOut:
    """A product as everybody sees it."""
    return ProductOut(
        id=product.id,
        name=product.name,
        attributes=dict(product.attributes),
        variants=list(product.variants),
        version=product.version,
    )


def stock_out(stock: Stock) -> StockOut:
    """A stock as everybody sees it."""
    return StockOut(sku=stock.sku, on_hand=stock.on_hand, reserved=stock.reserved, available=stock.available)
