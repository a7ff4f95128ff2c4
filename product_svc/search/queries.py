"""Lists of products, and their facets."""

from uuid import UUID

from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.database import Mongo
from product_svc.catalogue.domain import Product
from product_svc.catalogue.store import read_product
from product_svc.categories.queries import subtree
from product_svc.search import cursor, pipeline
from product_svc.search.cursor import Cursor
from product_svc.search.domain import Search, Sort
from product_svc.search.pipeline import Stage

MAX_MILLISECONDS = 5_000
"""A search that takes longer is aborted, so that it does not slow down everything else."""


async def products(
    database: Mongo, search: Search, sort: Sort, after: Cursor | None, limit: int
) -> tuple[list[Product], str | None]:
    """A page of the products that match, and the cursor after it if there are more."""
    stages = [await _matching(database, search), *_page(search, sort, after, limit + 1)]
    found = await _aggregate(database, stages)
    more = cursor.after_document(sort, found[limit - 1]) if len(found) > limit else None
    return [read_product(document)[1] for document in found[:limit]], more


async def facets(database: Mongo, search: Search) -> Stage:
    """How many products match: in all, and by category, attribute value and currency."""
    found = await _matching(database, search)
    [counts] = await _aggregate(database, [found, *pipeline.count_facets(search)])
    # If only what is available was searched for, or only what is not, nothing is left to count.
    available = counts["total"] if search.available else []
    if search.available is None:
        available = await _aggregate(database, [found, *pipeline.count_available(search)])
    return {**counts, "available": available}


def _page(search: Search, sort: Sort, after: Cursor | None, limit: int) -> list[Stage]:
    """The stages of a page. The stock is looked up after sorting, for no more products than are needed."""
    in_order, first = cursor.stages(sort, after), {"$limit": limit}
    if not sort.endswith("price"):
        return [*in_order, *pipeline.filter_available(search), first]
    if search.available:
        possible, lowest = pipeline.add_possible_prices(search), pipeline.keep_lowest_price()
        return [*possible, *in_order, *lowest, first, *pipeline.whole_products()]
    return [*pipeline.add_price(search), *in_order, *pipeline.filter_available(search), first]


async def _matching(database: Mongo, search: Search) -> Stage:
    categories: list[UUID] | None = await subtree(database, search.category_id) if search.category_id else None
    return pipeline.matching(search, categories)


async def _aggregate(database: Mongo, stages: list[Stage]) -> list[Stage]:
    with translated():
        found = await database.db.products.aggregate(stages, maxTimeMS=MAX_MILLISECONDS)
        return await found.to_list()
