"""The query parameters and the REST bodies of searches."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chassis.http.bodies import ResponseBody
from chassis.http.examples import ID
from chassis.http.fields import CurrencyCode
from chassis.http.paging import NEXT, Page
from product_svc.catalogue.domain import Status
from product_svc.catalogue.dto import EntryOut
from product_svc.search.counts import Facets
from product_svc.search.cursor import MAX_LENGTH, Cursor, parse_cursor
from product_svc.search.domain import Search, Sort
from product_svc.search.suggestions import Suggestion
from schemas.values import LINE_PATTERN, Sku, Text

Count = Annotated[int, Field(examples=[12])]
MinorUnits = Annotated[int, Field(ge=0, le=10**9)]
LOWER_BOUND = "whether there may be more"
IN_MINOR_UNITS = "in minor units of the currency: cents of EUR, whole JPY"
AttributeFilter = Annotated[Text, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}:" + LINE_PATTERN[1:], max_length=165)]


class Filters(BaseModel):
    """Filters for products."""

    model_config = ConfigDict(frozen=True)

    q: Annotated[
        Text | None,
        Field(
            min_length=1,
            max_length=200,
            description='words, all of which occur; `"a phrase"`; `-without`',
            examples=["mug"],
        ),
    ] = None
    sku: Annotated[
        list[Sku], Field(max_length=100, description="only products with these SKUs", examples=[["MUG-BLUE"]])
    ] = []
    category_id: Annotated[UUID | None, Field(description="and all categories below it")] = None
    attribute: Annotated[
        list[AttributeFilter],
        Field(
            max_length=20,
            description="`name:value`; for one name any of its values, all names together, of a single variant",
            examples=[["material:stoneware", "colour:blue"]],
        ),
    ] = []
    currency: Annotated[CurrencyCode | None, Field(description="required with prices", examples=["EUR"])] = None
    price_min: Annotated[MinorUnits | None, Field(description=IN_MINOR_UNITS, examples=[500])] = None
    price_max: Annotated[MinorUnits | None, Field(description=IN_MINOR_UNITS, examples=[2000])] = None
    available: Annotated[
        bool | None,
        Field(description="`true`: a variant that matches the other filters can be ordered now; `false`: none can"),
    ] = None
    state: Annotated[
        list[Status],
        Field(max_length=3, description="`active` by default, any state if SKUs are given; drafts only for staff"),
    ] = []

    @model_validator(mode="after")
    def _prices_have_a_currency(self) -> "Filters":
        if self.currency is None and (self.price_min is not None or self.price_max is not None):
            raise ValueError("a price needs a currency")
        return self

    def search(self, *, drafts: bool) -> Search:
        """The search; without ``drafts``, these are not found."""
        everything: list[Status] = ["active", "discontinued", "draft"]
        statuses = self.state or (everything if self.sku else ["active"])
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
            statuses=[status for status in statuses if drafts or status != "draft"],
        )


class Paged(Filters):
    """A page of a search, and its order."""

    sort: Annotated[
        Sort | None,
        Field(description="default `added`, with `q` `relevance`; `price` is the lowest of the variants that match"),
    ] = None
    cursor: Annotated[str | None, Field(max_length=MAX_LENGTH, description=NEXT, examples=[ID])] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    count: Annotated[bool, Field(description="whether to count what matches: `total`, some seconds old")] = False

    @model_validator(mode="after")
    def _is_sortable(self) -> "Paged":
        if self.currency is None and self.order.endswith("price"):
            raise ValueError("a price needs a currency")
        if self.q is None and self.order == "relevance":
            raise ValueError("relevance needs words (`q`)")
        self.position()
        return self

    @property
    def order(self) -> Sort:
        """How the page is sorted."""
        return self.sort or ("relevance" if self.q else "added")

    def position(self) -> Cursor | None:
        """The cursor after which the page begins, if any; raise ``ValueError`` if it is invalid."""
        return None if self.cursor is None else parse_cursor(self.cursor, self.order)


class ProductsOut(Page[EntryOut, str]):
    """A page of the catalogue; ``next`` is the ``cursor`` of the page that follows, if there is one.

    A page can have fewer products than ``limit``, and be followed by another one.
    """

    next: Annotated[str | None, Field(examples=[ID])]
    total: Annotated[int | None, Field(description="products that match; null without `count`", examples=[12])]
    total_is_lower_bound: Annotated[bool, Field(description=LOWER_BOUND, examples=[False])]


class CategoryCount(ResponseBody):
    """How many products are directly in a category; null stands for no category."""

    category_id: UUID | None
    products: Count


class ValueCount(ResponseBody):
    """How many products have a matching variant with this value."""

    value: Annotated[str, Field(examples=["stoneware"])]
    products: Count


class PriceSpan(ResponseBody):
    """The lowest and the highest price of matching variants in a currency, in its minor units."""

    currency: Annotated[str, Field(examples=["EUR"])]
    min: Annotated[int, Field(examples=[990])]
    max: Annotated[int, Field(examples=[2450])]


class FacetsOut(ResponseBody):
    """The counts of a search; ``attributes`` has the 500 most frequent values, by attribute name.

    If many products match, ``is_complete`` is false: the counts by category and by attribute are then of a thousand
    variants, the newest or with ``currency`` the cheapest, and all are lower bounds. Prices are always those of all.
    """

    total: Count
    total_is_lower_bound: Annotated[bool, Field(description=LOWER_BOUND, examples=[False])]
    available: Annotated[int, Field(examples=[9])]
    available_is_lower_bound: Annotated[bool, Field(description=LOWER_BOUND, examples=[False])]
    is_complete: Annotated[bool, Field(description="whether all products that match were counted", examples=[True])]
    categories: list[CategoryCount]
    attributes: Annotated[
        dict[str, list[ValueCount]], Field(examples=[{"material": [{"value": "stoneware", "products": 12}]}])
    ]
    prices: list[PriceSpan]


class SuggestionQuery(BaseModel):
    """What a client has typed so far."""

    model_config = ConfigDict(frozen=True)

    q: Annotated[Text, Field(max_length=100, description="what is typed so far", examples=["mu"])] = ""
    limit: Annotated[int, Field(ge=1, le=20)] = 10


class SuggestionOut(ResponseBody):
    """A name that a client may be about to type; of products with the same name, one."""

    name: Annotated[str, Field(examples=["Mug"])]
    product_id: UUID


class SuggestionsOut(ResponseBody):
    """Names of products that are for sale: first those that begin with what is typed, or have such a SKU."""

    items: list[SuggestionOut]


def facets_out(found: Facets) -> FacetsOut:
    """The body for counts."""
    attributes: dict[str, list[dict[str, Any]]] = {}
    for facet, products in found.attributes:
        name, _, value = facet.partition(":")
        attributes.setdefault(name, []).append({"value": value, "products": products})
    # As one value: to make hundreds of counts one by one takes ten times as long.
    return FacetsOut.model_validate(
        {
            "total": found.total.products,
            "total_is_lower_bound": found.total.is_lower_bound,
            "available": found.available.products,
            "available_is_lower_bound": found.available.is_lower_bound,
            "is_complete": found.is_complete,
            "categories": [{"category_id": id_, "products": products} for id_, products in found.categories],
            "attributes": attributes,
            "prices": [
                {"currency": one, "min": lowest, "max": highest} for one, (lowest, highest) in found.prices.items()
            ],
        }
    )


def suggestions_out(found: list[Suggestion]) -> SuggestionsOut:
    """The body for suggestions."""
    return SuggestionsOut(items=[SuggestionOut(name=one.name, product_id=one.product_id) for one in found])
