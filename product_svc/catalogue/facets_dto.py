"""What the REST API answers of the facets of a search."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chassis.http.bodies import ResponseBody

Count = Annotated[int, Field(examples=[12])]


class CategoryCount(ResponseBody):
    """So many products are directly in a category; in none, where it is null."""

    category_id: UUID | None
    products: Count


class ValueCount(ResponseBody):
    """So many products have a variant with this value."""

    value: Annotated[str, Field(examples=["stoneware"])]
    products: Count


class PriceSpan(ResponseBody):
    """The lowest and the highest price in a currency, in its minor units."""

    currency: Annotated[str, Field(examples=["EUR"])]
    min: Annotated[int, Field(examples=[990])]
    max: Annotated[int, Field(examples=[2450])]


class FacetsOut(ResponseBody):
    """What a search finds, counted; ``attributes`` has the 500 most frequent values, by the name of the attribute."""

    total: Count
    available: Annotated[int, Field(examples=[9])]
    categories: list[CategoryCount]
    attributes: Annotated[
        dict[str, list[ValueCount]], Field(examples=[{"material": [{"value": "stoneware", "products": 12}]}])
    ]
    prices: list[PriceSpan]


def facets_out(counts: dict[str, Any]) -> FacetsOut:
    """The counts of ``queries.counts`` as everybody sees them."""
    attributes: dict[str, list[ValueCount]] = {}
    for one in counts["attributes"]:
        name, _, value = one["_id"].partition(":")
        attributes.setdefault(name, []).append(ValueCount(value=value, products=one["products"]))
    return FacetsOut(
        total=_number(counts["total"]),
        available=_number(counts["available"]),
        categories=[CategoryCount(category_id=one["_id"], products=one["products"]) for one in counts["categories"]],
        attributes=attributes,
        prices=[PriceSpan(currency=one["_id"], min=one["min"], max=one["max"]) for one in counts["prices"]],
    )


def _number(counted: list[dict[str, int]]) -> int:
    return counted[0]["products"] if counted else 0
