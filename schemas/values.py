"""The values in events: money, addresses, order lines."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# PostgreSQL cannot store NUL in text, other control characters could inject into terminals and mail headers, and a
# lone surrogate has no UTF-8 form: such strings are refused at the edge.
LINE_PATTERN = r"^[^\x00-\x1f\x7f\x80-\x9f\u2028\u2029]*$"

Text = Annotated[str, StringConstraints(pattern=LINE_PATTERN)]
"""One line of text without control characters."""

Sku = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""Stock keeping unit: 1 to 64 letters, digits, dots, dashes and underscores."""

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""ISO 4217 alphabetic code."""

MAX_MINOR_UNITS = 10**15
"""Below 2**53, so that JSON readers that use doubles (RFC 8259 §6) read every amount exactly."""


class Value(BaseModel):
    """Has no identity: equal if its fields are equal. Unknown fields, of a newer writer, are ignored."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Money(Value):
    """An amount in integer minor units (cents) of one ISO 4217 currency."""

    amount: int = Field(ge=0, le=MAX_MINOR_UNITS, examples=[1250])
    currency: Currency = Field(examples=["EUR"])

    def times(self, quantity: int) -> "Money":
        """The price of ``quantity`` of these."""
        return Money(amount=self.amount * quantity, currency=self.currency)


NO_POSTAL_CODE = "-"
"""What an address has in place of a postal code where there is none: readers of released events need some text."""


def is_absent(value: str | None) -> bool:
    """Whether an optional field is left out of what is dumped."""
    return value is None


class Address(Value):
    """A postal address; ``country`` is ISO 3166-1 alpha-2, ``postal_code`` is ``-`` where the address has none."""

    name: Annotated[Text, Field(min_length=1, max_length=200, examples=["Ada Lovelace"])]
    street: Annotated[Text, Field(min_length=1, max_length=200, examples=["12 St James's Square"])]
    city: Annotated[Text, Field(min_length=1, max_length=100, examples=["London"])]
    postal_code: Annotated[Text, Field(min_length=1, max_length=20, examples=["SW1Y 4JH"])]
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), Field(examples=["GB"])]
    # Absent fields are not dumped: an address without them reads as it always did.
    company: Annotated[Text, Field(min_length=1, max_length=200)] | None = Field(
        default=None, exclude_if=is_absent, examples=["Analytical Engines Ltd"]
    )
    line2: Annotated[Text, Field(min_length=1, max_length=200)] | None = Field(
        default=None, exclude_if=is_absent, examples=["Flat 3"]
    )
    region: Annotated[Text, Field(min_length=1, max_length=100)] | None = Field(
        default=None, exclude_if=is_absent, examples=["Greater London"]
    )
    phone: Annotated[Text, Field(min_length=1, max_length=20)] | None = Field(
        default=None, exclude_if=is_absent, examples=["+442079460000"]
    )


class Line(Value):
    """So many of one SKU."""

    sku: Sku = Field(examples=["MUG-1"])
    quantity: int = Field(ge=1, examples=[2])


class PricedLine(Line):
    """A line at the price and under the name it was sold at."""

    name: str = Field(examples=["Blue mug"])
    unit_price: Money


class Variant(Value):
    """What can be put in a basket: a SKU with its own price."""

    sku: Sku = Field(examples=["MUG-1"])
    price: Money


class Offer(Variant):
    """A variant as the catalogue offers it: what is not for sale cannot be ordered."""

    for_sale: bool = Field(examples=[True])


class Shortage(Value):
    """Why one SKU of an order could not be reserved."""

    sku: Sku = Field(examples=["MUG-1"])
    requested: int = Field(examples=[5])
    available: int = Field(examples=[2])
    reason: Literal["short", "unknown", "discontinued"] = Field(examples=["short"])


Id = UUID
"""Identifiers are UUIDv7 (RFC 9562): unique without coordination, and sorted by time of creation."""
