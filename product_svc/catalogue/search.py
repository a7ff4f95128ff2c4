"""How products are found: what stands in their documents for it, and what a search becomes in MongoDB.

Filters on attributes and price speak of one variant: whoever looks for a red one below 10 EUR does not get a product
whose red variant costs 12 and whose blue one costs 8. Availability lies with the stock, which changes with every
order; it is looked up for what the other filters have left, and never copied.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import orjson

from product_svc.catalogue.domain import Attributes, Product, Status

Sort = Literal["added", "newest", "name", "-name", "price", "-price", "relevance"]
Stage = dict[str, Any]

MAX_VALUE, MAX_VALUES = 100, 100
"""Characters of a value, and values of a variant, by which it can be found."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for. Prices are in minor units of ``currency``; ``attributes`` is name → any of these values."""

    text: str | None = None
    skus: Sequence[str] = ()
    category_id: UUID | None = None
    attributes: dict[str, list[str]] = field(default_factory=dict)
    currency: str | None = None
    price_min: int | None = None
    price_max: int | None = None
    available: bool | None = None
    statuses: Sequence[Status] = ("active",)


def laid_out(product: Product) -> dict[str, Any]:
    """A product as its document has it for the searches: only variants that are not discontinued are found."""
    offers: list[Stage] = [
        {
            "sku": variant.sku,
            "currency": variant.price.currency,
            "amount": variant.price.amount,
            "facets": facets({**product.attributes, **variant.attributes}),
        }
        for variant in product.variants
        if variant.status == "active"
    ]
    prices: dict[str, int] = {}
    for offer in offers:
        prices[offer["currency"]] = min(offer["amount"], prices.get(offer["currency"], offer["amount"]))
    kept = [product.attributes, *(variant.attributes for variant in product.variants)]
    words = {word for attributes in kept for word in _texts(attributes)}
    return {
        "name": product.name.casefold(),
        "words": [variant.sku for variant in product.variants] + sorted(words),
        "offers": offers,
        "prices": prices,
    }


def facets(attributes: Attributes) -> list[str]:
    """``name:value`` of attributes, each item of a list on its own; values other than text as JSON has them.

    Long texts are nothing that one narrows a search down by, nor are more values than ``MAX_VALUES``. Every variant
    has those of the product too: without bounds, a document could outgrow what MongoDB keeps.
    """
    found = []
    for name, value in attributes.items():
        for one in value if isinstance(value, list) else [value]:
            text = one if isinstance(one, str) else orjson.dumps(one).decode()
            if len(text) <= MAX_VALUE:
                found.append(f"{name}:{text}")
    return found[:MAX_VALUES]


def _texts(attributes: Attributes) -> Iterator[str]:
    for value in attributes.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from value


def matching(search: Search, categories: Sequence[UUID] | None) -> Stage:
    """The first stage of every search. ``categories`` are the one that is looked in and all below it."""
    # In documents of the first release no status stands, and all of them are active.
    statuses: list[str | None] = [*search.statuses, *([None] if "active" in search.statuses else [])]
    found: Stage = {"status": {"$in": statuses}}
    if search.text:
        found["$text"] = {"$search": search.text}
    if search.skus:
        found["variants.sku"] = {"$in": list(search.skus)}
    if categories is not None:
        found["category_id"] = {"$in": list(categories)}
    if conditions := _of_an_offer(search):
        found["search.offers"] = {"$elemMatch": {"$and": conditions}}
    return {"$match": found}


def only_stocked(search: Search) -> list[Stage]:
    """Leave those of which a variant that fits is there, or those of which none is."""
    if search.available is None:
        return []
    return [*stocked(search), {"$match": {"stocked.0": {"$exists": search.available}}}]


def stocked(search: Search) -> list[Stage]:
    """Add ``stocked``: one SKU of those that fit of which some can be promised, if there is one."""
    enough = {"$match": {"$expr": {"$gt": ["$on_hand", "$reserved"]}}}
    return [
        {"$set": {"fitting": fitting_offers(search)}},
        {
            "$lookup": {
                "from": "stock",
                "localField": "fitting.sku",
                "foreignField": "_id",
                "pipeline": [enough, {"$limit": 1}, {"$project": {"_id": 1}}],
                "as": "stocked",
            }
        },
    ]


def fitting_offers(search: Search) -> Stage:
    """An expression: the offers of a product that fit, which ``matching`` has made sure there are."""
    conditions: list[Stage] = [
        {"$gt": [{"$size": {"$setIntersection": ["$$this.facets", wanted]}}, 0]} for wanted in _wanted(search)
    ]
    if search.currency:
        conditions.append({"$eq": ["$$this.currency", search.currency]})
    if search.price_min is not None:
        conditions.append({"$gte": ["$$this.amount", search.price_min]})
    if search.price_max is not None:
        conditions.append({"$lte": ["$$this.amount", search.price_max]})
    offers = {"$ifNull": ["$search.offers", []]}
    return {"$filter": {"input": offers, "as": "this", "cond": {"$and": conditions}}}


def counting(search: Search) -> list[Stage]:
    """Count what was found, by all that it can be narrowed down by."""
    by_number = {"$sort": {"products": -1, "_id": 1}}
    each = {"$sum": 1}
    union = {"$reduce": {"input": "$fitting.facets", "initialValue": [], "in": {"$setUnion": ["$$value", "$$this"]}}}
    prices = {"_id": "$fitting.currency", "min": {"$min": "$fitting.amount"}, "max": {"$max": "$fitting.amount"}}
    ways = {
        "total": [{"$count": "products"}],
        "available": [{"$match": {"stocked.0": {"$exists": True}}}, {"$count": "products"}],
        "categories": [{"$group": {"_id": "$category_id", "products": each}}, by_number],
        "attributes": [
            {"$project": {"facet": union}},
            {"$unwind": "$facet"},
            {"$group": {"_id": "$facet", "products": each}},
            by_number,
            {"$limit": MAX_FACETS},
        ],
        "prices": [{"$unwind": "$fitting"}, {"$group": prices}, {"$sort": {"_id": 1}}],
    }
    return [*stocked(search), {"$facet": ways}]


MAX_FACETS = 500
"""So many values of attributes are counted, the most frequent first."""


def _of_an_offer(search: Search) -> list[Stage]:
    conditions: list[Stage] = [{"facets": {"$in": wanted}} for wanted in _wanted(search)]
    if search.currency:
        conditions.append({"currency": search.currency})
    if search.price_min is not None:
        conditions.append({"amount": {"$gte": search.price_min}})
    if search.price_max is not None:
        conditions.append({"amount": {"$lte": search.price_max}})
    return conditions


def _wanted(search: Search) -> list[list[str]]:
    return [[f"{name}:{value}" for value in values] for name, values in search.attributes.items()]
