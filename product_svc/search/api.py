"""The routes of searches."""

from typing import Annotated

from fastapi import Query

from chassis.http.errors import Unauthenticated
from chassis.http.routing import new_router, problems
from product_svc.catalogue.dto import entry_out
from product_svc.catalogue.queries import stock_of
from product_svc.container import OPTIONAL_TOKEN, Database, IsStaff, Searches, catalogue_page
from product_svc.errors import TooManySearches
from product_svc.search.dto import (
    FacetsOut,
    Filters,
    Paged,
    ProductsOut,
    SuggestionQuery,
    SuggestionsOut,
    suggestions_out,
)

router = new_router()


@router.get(
    "/v1/products",
    tags=["products"],
    summary="Browse the catalogue",
    responses=problems(Unauthenticated, TooManySearches),
    openapi_extra=OPTIONAL_TOKEN,
)
@catalogue_page
async def list_products(
    searches: Searches, database: Database, is_staff: IsStaff, query: Annotated[Paged, Query()]
) -> ProductsOut:
    """The products that match the filters. Products that are added later do not shift the pages.

    SKU, attributes, price and availability are about one variant: the same variant has to match them all.
    Of products that match words (`q`), the thousand best are found, and all other filters and sorts are of these.
    """
    search = query.search(drafts=is_staff)
    total = await searches.total(search) if query.count else None
    found, more = await searches.products(search, query.order, query.position(), query.limit)
    stock = await stock_of(database, found)
    return ProductsOut(
        items=[entry_out(product, stock, numbers=is_staff) for product in found],
        next=more,
        total=total.products if total else None,
        total_is_lower_bound=total is not None and total.is_lower_bound,
    )


@router.get(
    "/v1/products/facets",
    tags=["products"],
    summary="Count the products of a search",
    responses=problems(Unauthenticated, TooManySearches),
    openapi_extra=OPTIONAL_TOKEN,
)
@catalogue_page
async def count_products(searches: Searches, is_staff: IsStaff, query: Annotated[Filters, Query()]) -> FacetsOut:
    """How many products match the filters, by category and by attribute value, and the range of prices.

    Values and prices are those of the variants that match, and no others. The counts can be some seconds old.
    """
    return await searches.facets(query.search(drafts=is_staff))


@router.get(
    "/v1/products/suggestions",
    tags=["products"],
    summary="Suggest products while typing",
    responses=problems(Unauthenticated, TooManySearches),
    openapi_extra=OPTIONAL_TOKEN,
)
@catalogue_page
async def suggest_products(
    searches: Searches, _is_staff: IsStaff, query: Annotated[SuggestionQuery, Query()]
) -> SuggestionsOut:
    """Names that begin with what is typed, or have a word that does; some seconds old.

    Case and accents do not matter. All words are complete but the last one.
    """
    return suggestions_out(await searches.suggestions(query.q, query.limit))
