"""The MongoDB aggregation of a search, stage by stage; ``catalogue.search_fields`` writes what it reads.

Filters on attributes and price apply to a single variant: a search for red below 10 EUR does not find a product whose
red variant costs 12 and whose blue one costs 8. Availability depends on the stock, which changes with every order: it
is looked up for what the other filters have left, and never copied.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from product_svc.search.domain import Search

Stage = dict[str, Any]

MAX_FACETS = 500
"""How many attribute values are counted, the most frequent first."""
_ENOUGH: Stage = {"$gt": ["$$this.on_hand", "$$this.reserved"]}


def matching(search: Search, categories: Sequence[UUID] | None) -> Stage:
    """The first stage of every search. ``categories`` are the category that is searched, and all below it."""
    # In documents of the first release the status is missing, and all of them are active.
    statuses: list[str | None] = [*search.statuses, *([None] if "active" in search.statuses else [])]
    found: Stage = {"status": {"$in": statuses}}
    if search.text:
        found["$text"] = {"$search": search.text}
    if search.skus:
        found["variants.sku"] = {"$in": list(search.skus)}
    if categories is not None:
        found["category_id"] = {"$in": list(categories)}
    if conditions := _offer_conditions(search):
        found["search.offers"] = {"$elemMatch": {"$and": conditions}}
    return {"$match": found}


def filter_available(search: Search) -> list[Stage]:
    """Keep the products of which a matching variant is available, or those of which none is."""
    if search.available is None:
        return []
    return [*look_up_stock(search), {"$match": {"stocked.0": {"$exists": search.available}}}]


def look_up_stock(search: Search) -> list[Stage]:
    """Add ``stocked``: the stock of the matching variants that are available."""
    return [
        {"$set": {"matching": matching_offers(search)}},
        # Without a pipeline of its own, which would be planned for each product.
        {"$lookup": {"from": "stock", "localField": "matching.sku", "foreignField": "_id", "as": "stocked"}},
        {"$set": {"stocked": {"$filter": {"input": "$stocked", "as": "this", "cond": _ENOUGH}}}},
    ]


def matching_offers(search: Search) -> Stage:
    """An expression: the offers of a product that match; ``matching`` ensures that there are some."""
    conditions: list[Stage] = [
        {"$gt": [{"$size": {"$setIntersection": ["$$this.facets", wanted]}}, 0]} for wanted in _facets(search)
    ]
    if search.currency:
        conditions.append({"$eq": ["$$this.currency", search.currency]})
    if search.price_min is not None:
        conditions.append({"$gte": ["$$this.amount", search.price_min]})
    if search.price_max is not None:
        conditions.append({"$lte": ["$$this.amount", search.price_max]})
    offers = {"$ifNull": ["$search.offers", []]}
    return {"$filter": {"input": offers, "as": "this", "cond": {"$and": conditions}}}


def count_facets(search: Search) -> list[Stage]:
    """Count what was found: in all, and by category, attribute value and currency."""
    by_number = {"$sort": {"products": -1, "_id": 1}}
    each = {"$sum": 1}
    union = {"$reduce": {"input": "$matching.facets", "initialValue": [], "in": {"$setUnion": ["$$value", "$$this"]}}}
    prices = {"_id": "$matching.currency", "min": {"$min": "$matching.amount"}, "max": {"$max": "$matching.amount"}}
    counts = {
        "total": [{"$count": "products"}],
        "categories": [{"$group": {"_id": "$category_id", "products": each}}, by_number],
        "attributes": [
            {"$project": {"facet": union}},
            {"$unwind": "$facet"},
            {"$group": {"_id": "$facet", "products": each}},
            by_number,
            {"$limit": MAX_FACETS},
        ],
        "prices": [{"$unwind": "$matching"}, {"$group": prices}, {"$sort": {"_id": 1}}],
    }
    return [{"$project": {"category_id": 1, "matching": matching_offers(search)}}, {"$facet": counts}]


def count_available(search: Search) -> list[Stage]:
    """Count the products of which a matching variant is available."""
    # Nothing but the SKUs of each product is kept while its stock is looked up, which takes most of the time.
    skus = {"$map": {"input": matching_offers(search), "as": "offer", "in": "$$offer.sku"}}
    available = {"$anyElementTrue": {"$map": {"input": "$stock", "as": "this", "in": _ENOUGH}}}
    return [
        {"$project": {"sku": skus if _offer_conditions(search) else "$search.offers.sku"}},
        {"$lookup": {"from": "stock", "localField": "sku", "foreignField": "_id", "as": "stock"}},
        {"$match": {"$expr": available}},
        {"$count": "products"},
    ]


def _offer_conditions(search: Search) -> list[Stage]:
    conditions: list[Stage] = [{"facets": {"$in": wanted}} for wanted in _facets(search)]
    if search.currency:
        conditions.append({"currency": search.currency})
    if search.price_min is not None:
        conditions.append({"amount": {"$gte": search.price_min}})
    if search.price_max is not None:
        conditions.append({"amount": {"$lte": search.price_max}})
    return conditions


def _facets(search: Search) -> list[list[str]]:
    return [[f"{name}:{value}" for value in values] for name, values in search.attributes.items()]
