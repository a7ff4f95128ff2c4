"""Counts of what a search finds, up to a bound: nobody needs to know that it is 48,391, and not "more than 10,000".

Few of the offers that match are read, and counted here: for MongoDB, to group them costs more than to find them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from product_svc.search.domain import Search
from product_svc.search.filters import Stage, both
from product_svc.search.indexes import BY_PRICE, BY_PRODUCT
from product_svc.search.reads import Reads

MAX_TOTAL = 10_000
"""Products that are counted for a total."""
MAX_OFFERS = 1_000
"""Offers that are read for a total, if there are filters on variants."""
MAX_COUNTED = 1_000
"""Offers that are read for facets: the newest, or with a currency the cheapest."""
MAX_VALUES = 500
"""Attribute values in facets, the most frequent first."""
FIELDS = ("product_id", "category_id", "available", "facets", "currency", "amount")


@dataclass(frozen=True, slots=True)
class Total:
    """A number of products, or a lower bound of it."""

    products: int
    is_lower_bound: bool = False


@dataclass(frozen=True, slots=True)
class Facets:
    """Counts of a search; without ``is_complete``, those by category and by attribute are of a part of what matches.

    ``attributes`` is by ``name:value``, ``prices`` is currency → (lowest, highest), in minor units.
    """

    total: Total = Total(0)
    available: Total = Total(0)
    categories: Sequence[tuple[UUID | None, int]] = ()
    attributes: Sequence[tuple[str, int]] = ()
    prices: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    is_complete: bool = True


async def total(reads: Reads, match: Stage, index: str, search: Search, *, more: bool = False) -> Total:
    """How many products there are. ``more``: there may be others, which were not looked at."""
    if match.get("first") is True:
        found = await reads.count_offers(match, index, MAX_TOTAL + 1)
        return Total(min(found, MAX_TOTAL), more or found > MAX_TOTAL)
    rows = await reads.offers(match, index, ("product_id", "available"), limit=MAX_OFFERS + 1)
    return Total(len(_by_product(rows, search)), more or len(rows) > MAX_OFFERS)


async def facets(reads: Reads, match: Stage, index: str, search: Search, *, more: bool = False) -> Facets:
    """The counts of a search."""
    order = [("product_id", -1)] if index == BY_PRODUCT and "product_id" not in match else []
    rows = await reads.offers(match, index, FIELDS, order=order, limit=MAX_COUNTED + 1)
    counted = _counted(rows, search, more=more)
    if len(rows) <= MAX_COUNTED:
        return counted
    available = Total(counted.available.products, is_lower_bound=search.available is not False)
    if available == Total(0, is_lower_bound=True):
        # There may be some among the others, and they are worth another read only if none is known.
        available = await total(reads, both(match, {"available": True}), index, search, more=more)
    everything = Total(counted.total.products, is_lower_bound=True)
    prices = {currency: await _span(reads, match, currency) for currency in counted.prices}
    return Facets(everything, available, counted.categories, counted.attributes, prices, is_complete=False)


async def _span(reads: Reads, match: Stage, currency: str) -> tuple[int, int]:
    """The lowest and the highest price in a currency, at the ends of an index."""
    priced = both(match, {"currency": currency})
    lowest, highest = [
        await reads.offers(priced, BY_PRICE, ("amount",), order=[("amount", direction)], limit=1)
        for direction in (1, -1)
    ]
    return lowest[0]["amount"], highest[0]["amount"]


def _counted(rows: Iterable[Stage], search: Search, *, more: bool) -> Facets:
    products = _by_product(rows, search)
    categories = Counter(offers[0]["category_id"] for offers in products.values())
    values = Counter(
        value for offers in products.values() for value in {one for row in offers for one in row["facets"]}
    )
    amounts: dict[str, list[int]] = {}
    for row in (row for offers in products.values() for row in offers if row["currency"]):
        amounts.setdefault(row["currency"], []).append(row["amount"])
    available = sum(any(row["available"] for row in offers) for offers in products.values())
    return Facets(
        Total(len(products), more),
        Total(available, more),
        sorted(categories.items(), key=lambda one: (-one[1], one[0] or UUID(int=0))),
        sorted(values.items(), key=lambda one: (-one[1], one[0]))[:MAX_VALUES],
        {currency: (min(found), max(found)) for currency, found in sorted(amounts.items())},
        is_complete=not more,
    )


def _by_product(rows: Iterable[Stage], search: Search) -> dict[UUID, list[Stage]]:
    """The offers of each product; with ``available=false``, of products without one that is available."""
    products: dict[UUID, list[Stage]] = {}
    for row in rows:
        products.setdefault(row["product_id"], []).append(row)
    if search.available is False:
        return {id_: offers for id_, offers in products.items() if not any(row["available"] for row in offers)}
    return products
