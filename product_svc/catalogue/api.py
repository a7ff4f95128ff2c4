"""The routes of products."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response, status
from uuid_utils.compat import uuid7

from chassis.http.auth import Staff
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.headers import carries, sends
from chassis.http.preconditions import IfMatch, PreconditionFailed, PreconditionRequired, etag
from chassis.http.routing import new_router, problems
from product_svc.catalogue import queries
from product_svc.catalogue.bodies import ProductBody, ProductPatch, VariantFields
from product_svc.catalogue.commands import change_product, create_product, put_variant, want_product
from product_svc.catalogue.domain import Product
from product_svc.catalogue.dto import ProductOut, ProductsOut, product_out
from product_svc.catalogue.facets_dto import FacetsOut, facets_out
from product_svc.catalogue.search_query import Filters, Paged
from product_svc.container import Commit, Database
from product_svc.errors import (
    AttributesDoNotFit,
    NoSuchCategory,
    ProductTooLarge,
    ProductUnknown,
    SkuTaken,
    StatusNotPossible,
    TooManyVariants,
)
from product_svc.needs import EVERYBODY, IsStaff, SkuInPath

router = new_router()


@router.post(
    "/v1/products",
    status_code=status.HTTP_201_CREATED,
    tags=["products"],
    summary="Add a product",
    responses=problems(Unauthenticated, Forbidden, SkuTaken, NoSuchCategory, AttributesDoNotFit)
    | sends(201, "Location", "ETag"),
)
async def add_product(body: ProductBody, response: Response, commit: Commit, _staff: Staff) -> ProductOut:
    """Put a product in the catalogue; its stock starts at nothing."""
    product_id, variants = uuid7(), body.priced()
    product = await commit(
        lambda unit: create_product(
            unit,
            product_id,
            body.name,
            body.attributes,
            variants,
            description=body.description,
            category_id=body.category_id,
            images=tuple(body.images),
            status=body.status,
        ),
        lambda unit: want_product(unit, product_id, [variant.sku for variant in variants], body.category_id),
    )
    response.headers["Location"] = f"/v1/products/{product.id}"
    return _tagged(response, product)


@router.get(
    "/v1/products",
    tags=["products"],
    summary="Browse the catalogue",
    responses=problems(Unauthenticated),
    openapi_extra=EVERYBODY,
)
async def list_products(database: Database, is_staff: IsStaff, asked: Annotated[Paged, Query()]) -> ProductsOut:
    """Products that are looked for. A page stays the same when others are added."""
    search = asked.search(drafts=is_staff)
    found, more = await queries.products(database, search, asked.order, asked.place(), asked.limit)
    return ProductsOut(items=[product_out(product) for product in found], next=more)


@router.get(
    "/v1/products/facets",
    tags=["products"],
    summary="Count what can be found",
    responses=problems(Unauthenticated),
    openapi_extra=EVERYBODY,
)
async def count_products(database: Database, is_staff: IsStaff, asked: Annotated[Filters, Query()]) -> FacetsOut:
    """How many products a search finds, by category, by each value of each attribute, and the span of prices."""
    return facets_out(await queries.counts(database, asked.search(drafts=is_staff)))


@router.get(
    "/v1/products/{product_id}",
    tags=["products"],
    summary="Read a product",
    responses=problems(Unauthenticated, ProductUnknown) | sends(200, "ETag"),
    openapi_extra=EVERYBODY,
)
async def read_product(product_id: UUID, response: Response, database: Database, is_staff: IsStaff) -> ProductOut:
    """One product. Drafts are there for staff only."""
    return _tagged(response, await queries.product(database, product_id, drafts=is_staff))


@router.patch(
    "/v1/products/{product_id}",
    tags=["products"],
    summary="Change a product",
    responses=problems(
        *(Unauthenticated, Forbidden, ProductUnknown, PreconditionFailed, PreconditionRequired),
        *(StatusNotPossible, NoSuchCategory, AttributesDoNotFit, ProductTooLarge),
    )
    | sends(200, "ETag"),
)
async def amend_product(
    product_id: UUID,
    body: ProductPatch,
    response: Response,
    commit: Commit,
    _staff: Staff,
    if_match: IfMatch = None,
) -> ProductOut:
    """Change the fields that are sent, and leave the others."""
    changes = body.changes()
    product = await commit(
        lambda unit: change_product(unit, product_id, if_match, changes),
        lambda unit: want_product(unit, product_id, (), body.category_id),
    )
    return _tagged(response, product)


@router.put(
    "/v1/products/{product_id}/variants/{sku}",
    tags=["products"],
    summary="Add or replace a variant",
    responses={
        **problems(
            *(Unauthenticated, Forbidden, ProductUnknown, PreconditionFailed, PreconditionRequired),
            *(SkuTaken, TooManyVariants, ProductTooLarge, AttributesDoNotFit),
        ),
        200: carries("ETag"),
        201: {"description": "The variant is new.", "model": ProductOut, **carries("ETag")},
    },
)
async def replace_variant(
    product_id: UUID,
    sku: SkuInPath,
    body: VariantFields,
    response: Response,
    commit: Commit,
    _staff: Staff,
    if_match: IfMatch = None,
) -> ProductOut:
    """One variant as it is to be; the ETag is the product's. A variant is discontinued, never removed."""
    product, new = await commit(
        lambda unit: put_variant(unit, product_id, if_match, body.variant(sku)),
        lambda unit: want_product(unit, product_id, [sku]),
    )
    response.status_code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
    return _tagged(response, product)


def _tagged(response: Response, product: Product) -> ProductOut:
    response.headers["ETag"] = etag(product.version)
    return product_out(product)
