"""The bodies that staff sends to keep the catalogue."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from chassis.http.bodies import RequestBody
from product_svc.catalogue.domain import MAX_VARIANTS, Status, Variant, VariantStatus
from schemas import Money
from schemas.values import Currency, Sku, Text


def _no_whole_number(value: object) -> object:
    """Refuse what ``AttributeNumber`` refused: as a float, a large whole number would lose its last digits."""
    if isinstance(value, int):
        raise ValueError("whole numbers are kept exactly up to 2**53 - 1")
    return value


AttributeName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
AttributeNumber = Annotated[int, Field(ge=-(2**53) + 1, le=2**53 - 1)]
AttributeText = Annotated[Text, Field(max_length=2000)]
AttributeFloat = Annotated[float, BeforeValidator(_no_whole_number), Field(allow_inf_nan=False)]
AttributeValue = (
    AttributeText | bool | AttributeNumber | AttributeFloat | Annotated[list[AttributeText], Field(max_length=100)]
)
ONLY_SO_NAMED = {"additionalProperties": False}
"""For the OpenAPI, of objects with names as of attributes: what Pydantic says of the names leaves all others free."""
AttributesBody = Annotated[
    dict[AttributeName, AttributeValue],
    Field(max_length=100, examples=[{"material": "stoneware"}], json_schema_extra=dict(ONLY_SO_NAMED)),
]
ImageUrl = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?$", max_length=2000)]
Images = Annotated[list[ImageUrl], Field(max_length=20, examples=[["https://img.example/mug.jpg"]])]
Name = Annotated[Text, Field(min_length=1, max_length=200, examples=["Mug"])]
Description = Annotated[Text, Field(max_length=5000, examples=["Holds a third of a litre."])]
# A UUID in JSON is text, which a strict field would refuse.
CategoryId = Annotated[UUID, Field(strict=False)]


class Patch(RequestBody):
    """A change: only the fields that are sent are changed."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    @model_validator(mode="after")
    def _something(self) -> "Patch":
        if not self.model_fields_set:
            raise ValueError("nothing is to be changed")
        return self


class Price(RequestBody):
    """A price in integer minor units (cents)."""

    amount: Annotated[int, Field(ge=1, le=1_000_000_000, examples=[1250])]
    currency: Annotated[Currency, Field(examples=["EUR"])]


class VariantFields(RequestBody):
    """What a variant is beside its SKU."""

    price: Price
    attributes: AttributesBody = Field(default_factory=dict)
    images: Images = Field(default_factory=list)
    status: VariantStatus = "active"

    def variant(self, sku: str) -> Variant:
        """The variant as a value."""
        price = Money(amount=self.price.amount, currency=self.price.currency)
        return Variant(sku, price, self.attributes, tuple(self.images), self.status)


class VariantBody(VariantFields):
    """What can be put in a basket. Its attributes stand over those of the product."""

    sku: Annotated[Sku, Field(examples=["MUG-BLUE"])]


class ProductBody(RequestBody):
    """A product with its variants. A draft is seen by staff only; what is active can be ordered."""

    name: Name
    description: Description = ""
    category_id: CategoryId | None = None
    attributes: AttributesBody = Field(default_factory=dict)
    images: Images = Field(default_factory=list)
    status: Literal["draft", "active"] = "active"
    variants: Annotated[list[VariantBody], Field(min_length=1, max_length=MAX_VARIANTS)]

    @model_validator(mode="after")
    def _skus_differ(self) -> "ProductBody":
        skus = [variant.sku for variant in self.variants]
        if len(set(skus)) < len(skus):
            raise ValueError("every variant needs a SKU of its own")
        return self

    def priced(self) -> list[Variant]:
        """The variants as values."""
        return [variant.variant(variant.sku) for variant in self.variants]


class ProductPatch(Patch):
    """A change of a product. Attributes and images are replaced as a whole; variants have a route of their own."""

    name: Name = Field(default_factory=str)
    description: Description = Field(default_factory=str)
    category_id: CategoryId | None = None
    attributes: AttributesBody = Field(default_factory=dict)
    images: Images = Field(default_factory=list)
    status: Status = Field(default_factory=lambda: "active")

    def changes(self) -> dict[str, Any]:
        """Field → value, of those that were sent."""
        sent = {name: getattr(self, name) for name in self.model_fields_set}
        return sent | ({"images": tuple(self.images)} if "images" in sent else {})
