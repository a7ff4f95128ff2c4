"""Lists of products, and their counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.database import Mongo
from chassis.persistence.mongo.snapshot import Document, Query
from product_svc.catalogue.domain import Product
from product_svc.catalogue.store import read_product
from product_svc.categories.queries import subtree
from product_svc.search import counts, cursor, filters, pages, texts
from product_svc.search.counts import Facets, Total
from product_svc.search.cursor import BY_ID, Cursor
from product_svc.search.domain import Search, Sort
from product_svc.search.filters import Driver, Stage
from product_svc.search.indexes import BY_PRICE, BY_PRODUCT
from product_svc.search.pages import Listed, Offered
from product_svc.search.reads import Reads

FEW = 1_000
"""Offers that are read at once, and sorted afterwards; of more, a page is read in the order of an index."""
MAX_ROWS, CHUNK = 10_000, 200
ROW = ("product_id", "name", "amount", "available")


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the offers of a search are read: few of them at once, or many by a driver."""

    match: Stage
    index: str
    driver: Driver | None = None
    categories: Sequence[UUID] | None = None
    ranks: Mapping[UUID, int] | None = None
    """Product → how well it matches the words of the search, if there are any."""
    more: bool = False
    """Whether there may be others that match."""


async def products(
    database: Mongo, search: Search, sort: Sort, after: Cursor | None, limit: int
) -> tuple[list[Product], str | None]:
    """A page of the products that match, and the cursor after it if there are more."""
    listed = await _listed(Reads(database), search, sort, after, limit)
    ids = [place.id for place in listed.places]
    with translated():
        found = await database.db.products.find({"_id": {"$in": ids}}, {"search": 0}).to_list()
    known = dict(map(read_product, found))
    return [known[id_] for id_ in ids if id_ in known], str(listed.next) if listed.next else None


async def total(database: Mongo, search: Search) -> Total:
    """How many products match, counted up to a bound."""
    reads = Reads(database)
    source = await _source(reads, search, None, one_each=not search.of_variants)
    return await counts.total(reads, source.match, source.index, search, more=source.more) if source else Total(0)


async def facets(database: Mongo, search: Search) -> Facets:
    """How many products match, in all, and by category, attribute value and currency, counted up to a bound."""
    reads = Reads(database)
    source = await _source(reads, search, None, one_each=False)
    return await counts.facets(reads, source.match, source.index, search, more=source.more) if source else Facets()


async def _listed(reads: Reads, search: Search, sort: Sort, after: Cursor | None, limit: int) -> Listed:
    source = await _source(reads, search, sort, one_each=not search.of_variants)
    if source is None:
        return Listed()
    if source.driver:
        return await pages.in_order(reads, search, source.categories, source.driver, sort, after, limit)
    if source.ranks is not None and sort in ("relevance", *BY_ID) and not search.skus:
        return await _ranked(reads, source, search, sort, after, limit)
    rows = await reads.offers(source.match, source.index, ROW, limit=MAX_ROWS)
    if source.ranks is not None:
        rows = [{**row, "rank": source.ranks[row["product_id"]]} for row in rows]
    return pages.few(rows, search, sort, after, limit)


async def _ranked(
    reads: Reads, source: _Source, search: Search, sort: Sort, after: Cursor | None, limit: int
) -> Listed:
    """A page in the order of what words found: the offers of no more products are read than fill it."""
    ranked = [{"product_id": id_, "rank": rank} for id_, rank in (source.ranks or {}).items()]
    places = pages.after_cursor((cursor.of(sort, row) for row in ranked), sort, after)
    if not search.of_variants and source.categories is None:
        return Listed.of(places, limit)
    kept = list[Cursor]()
    for start in range(0, len(places), CHUNK):
        chunk = places[start : start + CHUNK]
        match = {**source.match, "product_id": {"$in": [place.id for place in chunk]}}
        found = Offered.of(await reads.offers(match, source.index, ROW, limit=MAX_ROWS), search)
        kept += [place for place in chunk if place.id in found.rows]
        if len(kept) > limit:
            break
    return Listed.of(kept, limit)


async def _source(reads: Reads, search: Search, sort: Sort | None, *, one_each: bool) -> _Source | None:
    """Where to read; None where nothing can match. Without a sort, any order will do."""
    categories = await subtree(reads.database, search.category_id) if search.category_id else None
    if categories == [] or not search.statuses:
        return None
    found = await texts.found(reads, search.text, search.statuses) if search.text is not None else None
    ranks, more = (found.ranks, found.more) if found else (None, False)
    if search.skus:
        match = filters.of_skus(search, categories)
        return _Source(match if ranks is None else {**match, "product_id": {"$in": list(ranks)}}, "_id_", ranks=ranks)
    if ranks is not None:
        match = filters.of_products(search, categories, ranks, one_each=one_each)
        return _Source(match, BY_PRODUCT, categories=categories, ranks=ranks, more=more)
    return await _by_rarest(reads, search, sort, categories, one_each=one_each)


async def _by_rarest(
    reads: Reads, search: Search, sort: Sort | None, categories: Sequence[UUID] | None, *, one_each: bool
) -> _Source:
    """Read by the condition that the fewest offers satisfy; in the order of the list, unless they are few."""
    possible = filters.drivers(search, categories, one_each=one_each)
    index = BY_PRICE if search.currency else BY_PRODUCT
    if len(possible) == 1 and (search.currency is None or (sort or "").endswith("price")):
        [driver] = possible
        return _Source(driver.match(search), index, driver, categories)
    counted = [(await reads.count_offers(one.range(search), index, FEW + 1), one) for one in possible]
    fewest, driver = min(counted, key=lambda pair: pair[0])
    return _Source(driver.match(search), index, driver if fewest > FEW else None, categories)


def _offer_line(document: Document) -> dict[str, Any]:
    return {"kind": "offer", "sku": document["_id"], "available": document["available"]}


OFFER_LEDGER = Query("offers", _offer_line)
