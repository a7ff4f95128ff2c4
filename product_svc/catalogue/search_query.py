"""What a client can look for, as the query of a URL."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chassis.http.examples import ID
from product_svc.catalogue import cursor
from product_svc.catalogue.cursor import MAX_LENGTH, Cursor
from product_svc.catalogue.domain import Status
from product_svc.catalogue.search import Search, Sort
from schemas.values import LINE_PATTERN, Currency, Sku, Text

MinorUnits = Annotated[int, Field(ge=0, le=10**9)]
Wanted = Annotated[Text, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}:" + LINE_PATTERN[1:], max_length=165)]


class Filters(BaseModel):
    """Everything by which products can be narrowed down."""

    model_config = ConfigDict(frozen=True)

    q: Annotated[
        Text | None,
        Field(min_length=1, max_length=200, description='words; `"a phrase"`; `-without`', examples=["mug"]),
    ] = None
    sku: Annotated[
        list[Sku], Field(max_length=100, description="only products with these SKUs", examples=[["MUG-BLUE"]])
    ] = []
    category_id: Annotated[UUID | None, Field(description="and all categories below it")] = None
    attribute: Annotated[
        list[Wanted],
        Field(
            max_length=20,
            description="`name:value`; any of the values of one name, and all names, of one and the same variant",
            examples=[["material:stoneware", "colour:blue"]],
        ),
    ] = []
    currency: Annotated[Currency | None, Field(description="needed with prices", examples=["EUR"])] = None
    price_min: Annotated[MinorUnits | None, Field(description="in minor units (cents)", examples=[500])] = None
    price_max: Annotated[MinorUnits | None, Field(description="in minor units (cents)", examples=[2000])] = None
    available: Annotated[bool | None, Field(description="whether some can be ordered at once")] = None
    status: Annotated[
        list[Status],
        Field(max_length=3, description="`active` if not given; any if SKUs are; drafts for staff only"),
    ] = []

    @model_validator(mode="after")
    def _prices_have_a_currency(self) -> "Filters":
        if self.currency is None and (self.price_min is not None or self.price_max is not None):
            raise ValueError("a price needs its currency")
        return self

    def search(self, *, drafts: bool) -> Search:
        """The search; with ``drafts``, among these too."""
        anything: list[Status] = ["active", "discontinued", "draft"]
        asked = self.status or (anything if self.sku else ["active"])
        attributes: dict[str, list[str]] = {}
        for one in self.attribute:
            name, _, value = one.partition(":")
            attributes.setdefault(name, []).append(value)
        return Search(
            text=self.q,
            skus=self.sku,
            category_id=self.category_id,
            attributes=attributes,
            currency=self.currency,
            price_min=self.price_min,
            price_max=self.price_max,
            available=self.available,
            statuses=[status for status in asked if drafts or status != "draft"],
        )


class Paged(Filters):
    """A page of what was found."""

    sort: Annotated[
        Sort | None,
        Field(description="`added` if not given, with `q` `relevance`; by the lowest price, with its currency"),
    ] = None
    after: Annotated[
        str | None, Field(max_length=MAX_LENGTH, description="`next` of the page before", examples=[ID])
    ] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    @model_validator(mode="after")
    def _can_be_sorted(self) -> "Paged":
        if self.currency is None and self.order.endswith("price"):
            raise ValueError("a price needs its currency")
        if self.q is None and self.order == "relevance":
            raise ValueError("without words nothing is more relevant than anything else")
        self.place()
        return self

    @property
    def order(self) -> Sort:
        """How the page is sorted."""
        return self.sort or ("relevance" if self.q else "added")

    def place(self) -> Cursor | None:
        """Behind what the page begins; raise ``ValueError`` for a cursor that is none."""
        return None if self.after is None else cursor.parse(self.after, self.order)
