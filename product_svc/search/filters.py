"""The conditions of a search on offers, and which of them an index answers. Pure; ``search.store`` has the indexes.

All filters on variants (SKU, attributes, price, availability) apply to a single variant, which is a single offer: a
search for red below 10 EUR does not find a product whose red variant costs 12 and whose blue one costs 8, and what is
sold out has no price in a search for what is available.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from product_svc.search.domain import EVERY, Search, category_key
from product_svc.search.indexes import WITH_FIRST

Stage = dict[str, Any]

ANY_FIRST: Stage = {"first": {"$in": [False, True]}}
MAX_RANGES = 200
"""Ranges of an index that MongoDB reads side by side, in order (``internalQueryMaxScansToExplode``)."""


@dataclass(frozen=True, slots=True)
class Driver:
    """What an index is read by, one of these keys, and the conditions that remain for what it gives."""

    keys: tuple[str, ...]
    remaining: Stage
    one_each: bool
    """Whether one offer of each product is enough: without filters on variants."""

    def range(self, search: Search) -> Stage:
        """The conditions that an index answers alone."""
        first = {"first": True} if self.one_each else {}
        return {"keys": one_of(self.keys), **_state(search), **first, **_price(search)}

    def match(self, search: Search) -> Stage:
        """All conditions, but for ``available=false``, which is about several offers."""
        return {**self.range(search), **self.remaining}


def drivers(search: Search, categories: Sequence[UUID] | None, *, one_each: bool) -> list[Driver]:
    """By what offers can be read: each attribute, or the category; else all.

    ``categories`` are the category that is searched and all below it, None for any.
    """
    found = [
        Driver(tuple(wanted), _remaining(search, categories, without=name), one_each)
        for name, wanted in search.facets.items()
    ]
    if categories is not None and len(categories) * len(search.statuses) * 4 <= MAX_RANGES:
        found.append(Driver(tuple(map(category_key, categories)), _remaining(search, None), one_each))
    return found or [_everything(search, categories, one_each=one_each)]


def of_products(
    search: Search, categories: Sequence[UUID] | None, products: Collection[UUID], *, one_each: bool
) -> Stage:
    """All conditions, of the offers of some products."""
    driver = _everything(search, categories, one_each=one_each)
    return {**driver.match(search), "product_id": {"$in": list(products)}}


def of_skus(search: Search, categories: Sequence[UUID] | None) -> Stage:
    """All conditions, of the offers with the SKUs of the search, whatever they are listed under."""
    return {"_id": {"$in": list(search.skus)}, **_state(search), **_price(search), **_remaining(search, categories)}


def in_order(match: Stage, index: str) -> Stage:
    """The conditions with one for each field with which the index begins: only then it is read in its order."""
    return {**ANY_FIRST, **match} if index in WITH_FIRST else match


def both(one: Stage, other: Stage) -> Stage:
    """The conditions of both, also where they are about the same field."""
    return {"$and": [one, other]} if one.keys() & other.keys() else {**one, **other}


def _everything(search: Search, categories: Sequence[UUID] | None, *, one_each: bool) -> Driver:
    return Driver((EVERY,), _remaining(search, categories), one_each)


def one_of(values: Sequence[Any]) -> Any:
    """The condition for any of these values."""
    return values[0] if len(values) == 1 else {"$in": list(values)}


def _state(search: Search) -> Stage:
    available = [True] if search.available else [False, True]
    return {"status": one_of(search.statuses), "available": one_of(available)}


def _price(search: Search) -> Stage:
    if search.currency is None:
        return {}
    bounds = {"$gte": search.price_min, "$lte": search.price_max}
    limits = {name: bound for name, bound in bounds.items() if bound is not None}
    return {"currency": search.currency, **({"amount": limits} if limits else {})}


def _remaining(search: Search, categories: Sequence[UUID] | None, without: str | None = None) -> Stage:
    wanted = [{"facets": {"$in": values}} for name, values in search.facets.items() if name != without]
    found: Stage = {"$and": wanted} if wanted else {}
    return found if categories is None else {**found, "category_id": {"$in": list(categories)}}
