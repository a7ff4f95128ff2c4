"""The MongoDB aggregation of a search, stage by stage; ``catalogue.search_fields`` writes what it reads.

All filters on variants (SKU, attributes, price, availability) apply to a single variant: a search for red below 10
EUR does not find a product whose red variant costs 12 and whose blue one costs 8, and what is sold out has no price
in a search for what is available. Availability depends on the stock, which changes with every order: it is looked up
for what the other filters have left, and never copied.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from product_svc.search.domain import Search

Stage = dict[str, Any]

MAX_FACETS = 500
"""How many attribute values are counted, the most frequent first."""
# As ``Stock.availability``; the field is missing where stock was never discontinued.
_ENOUGH: Stage = {"$and": [{"$gt": ["$$this.on_hand", "$$this.reserved"]}, {"$ne": ["$$this.discontinued", True]}]}
_LOOK_UP_STOCK: Sequence[Stage] = (
    # Without a pipeline of its own, which would be planned for each product.
    {"$lookup": {"from": "stock", "localField": "offers.sku", "foreignField": "_id", "as": "stocked"}},
    {"$set": {"stocked": {"$filter": {"input": "$stocked", "as": "this", "cond": _ENOUGH}}}},
)
"""Add ``stocked``: the stock of the offers that are available."""
_IN_STOCK: Stage = {"$in": ["$$this.sku", "$stocked._id"]}
_KEEP_AVAILABLE: Sequence[Stage] = (
    *_LOOK_UP_STOCK,
    {"$set": {"offers": {"$filter": {"input": "$offers", "as": "this", "cond": _IN_STOCK}}}},
)


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
        # With nothing but SKUs, discontinued variants are found too: they have no offer.
        named = [{"sku": {"$in": list(search.skus)}}] if search.skus else []
        found["search.offers"] = {"$elemMatch": {"$and": [*named, *conditions]}}
    return {"$match": found}


def add_offers(search: Search) -> list[Stage]:
    """Add ``offers``: the offers of a product that match; products are dropped whose availability does not."""
    found: list[Stage] = [{"$set": {"offers": _matching_offers(search)}}]
    if search.available is None:
        return found
    if search.available:
        return [*found, *_KEEP_AVAILABLE, {"$match": {"offers.0": {"$exists": True}}}]
    return [*found, *_LOOK_UP_STOCK, {"$match": {"stocked.0": {"$exists": False}}}]


def filter_available(search: Search) -> list[Stage]:
    """Keep the products of which a matching variant is available, or those of which none is."""
    return [] if search.available is None else add_offers(search)


def add_price(search: Search) -> list[Stage]:
    """Add ``price``: the lowest price of the offers that match, available or not; all are in one currency."""
    return [{"$set": {"price": {"$min": {"$map": {"input": _matching_offers(search), "in": "$$this.amount"}}}}}]


def add_possible_prices(search: Search) -> list[Stage]:
    """Add ``price`` as ``add_price``, once for each price that can be the lowest of those available.

    So the stock is looked up only until a page is full: ``keep_lowest_price`` says which of them it is. Nothing else
    is kept of a product, which is sorted several times.
    """
    distinct = {"$setUnion": ["$offers.amount", []]}
    kept = {"offers.sku": 1, "offers.amount": 1, "price": distinct}
    return [{"$set": {"offers": _matching_offers(search)}}, {"$project": kept}, {"$unwind": "$price"}]


def keep_lowest_price() -> list[Stage]:
    """Keep a product of ``add_possible_prices`` at the lowest price of the offers that are available."""
    return [*_KEEP_AVAILABLE, {"$match": {"$expr": {"$eq": ["$price", {"$min": "$offers.amount"}]}}}]


def whole_products() -> list[Stage]:
    """The documents of the products of ``add_possible_prices``, with their ``price``."""
    whole = {"$mergeObjects": [{"$first": "$product"}, {"price": "$price"}]}
    return [
        {"$lookup": {"from": "products", "localField": "_id", "foreignField": "_id", "as": "product"}},
        {"$replaceRoot": {"newRoot": whole}},
    ]


def count_facets(search: Search) -> list[Stage]:
    """Count what was found: in all, and by category, attribute value and currency."""
    by_number = {"$sort": {"products": -1, "_id": 1}}
    each = {"$sum": 1}
    union = {"$reduce": {"input": "$offers.facets", "initialValue": [], "in": {"$setUnion": ["$$value", "$$this"]}}}
    prices = {"_id": "$offers.currency", "min": {"$min": "$offers.amount"}, "max": {"$max": "$offers.amount"}}
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
        "prices": [{"$unwind": "$offers"}, {"$group": prices}, {"$sort": {"_id": 1}}],
    }
    return [*add_offers(search), {"$project": {"category_id": 1, "offers": 1}}, {"$facet": counts}]


def count_available(search: Search) -> list[Stage]:
    """Count the products of which a matching variant is available."""
    # Nothing but the SKUs of each product is kept while its stock is looked up, which takes most of the time.
    skus = {"$map": {"input": _matching_offers(search), "as": "offer", "in": "$$offer.sku"}}
    narrowed = search.skus or _offer_conditions(search)
    available = {"$anyElementTrue": {"$map": {"input": "$stock", "as": "this", "in": _ENOUGH}}}
    return [
        {"$project": {"sku": skus if narrowed else "$search.offers.sku"}},
        {"$lookup": {"from": "stock", "localField": "sku", "foreignField": "_id", "as": "stock"}},
        {"$match": {"$expr": available}},
        {"$count": "products"},
    ]


def _matching_offers(search: Search) -> Stage:
    conditions: list[Stage] = [
        {"$gt": [{"$size": {"$setIntersection": ["$$this.facets", wanted]}}, 0]} for wanted in _facets(search)
    ]
    if search.skus:
        conditions.append({"$in": ["$$this.sku", list(search.skus)]})
    if search.currency:
        conditions.append({"$eq": ["$$this.currency", search.currency]})
    if search.price_min is not None:
        conditions.append({"$gte": ["$$this.amount", search.price_min]})
    if search.price_max is not None:
        conditions.append({"$lte": ["$$this.amount", search.price_max]})
    offers = {"$ifNull": ["$search.offers", []]}
    return {"$filter": {"input": offers, "as": "this", "cond": {"$and": conditions}}}


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
