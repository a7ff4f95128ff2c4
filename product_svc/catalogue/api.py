"""The routes of single products; lists of them are in ``search.api``."""

from uuid import UUID

from fastapi import Response, status
from uuid_utils.compat import uuid7

from chassis.http.auth import Staff
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.headers import carries, sends
from chassis.http.preconditions import IfMatch, etag
from chassis.http.routing import new_router, problems
from product_svc.catalogue import queries
from product_svc.catalogue.commands import CreateProduct, PutVariant, UpdateProduct
from product_svc.catalogue.domain import Product
from product_svc.catalogue.dto import (
    EntryOut,
    ProductBody,
    ProductOut,
    ProductPatch,
    VariantFields,
    entry_out,
    product_out,
)
from product_svc.container import OPTIONAL_TOKEN, Commit, Database, IsStaff, catalogue_page
from product_svc.errors import ProductNotFound
from product_svc.stock.dto import SkuInPath

router = new_router()


@router.post(
    "/v1/products",
    status_code=status.HTTP_201_CREATED,
    tags=["products"],
    summary="Create a product",
    responses=problems(Unauthenticated, Forbidden, *CreateProduct.errors) | sends(201, "Location", "ETag"),
)
async def add_product(body: ProductBody, response: Response, commit: Commit, _staff: Staff) -> ProductOut:
    """Add a product to the catalogue. The stock of its SKUs starts at zero."""
    product = await commit(
        CreateProduct(
            uuid7(),
            body.name,
            body.attributes,
            body.to_variants(),
            body.description,
            body.category_id,
            tuple(body.images),
            body.status,
        )
    )
    response.headers["Location"] = f"/v1/products/{product.id}"
    return _tagged(response, product)


@router.get(
    "/v1/products/{product_id}",
    tags=["products"],
    summary="Read a product",
    responses=problems(Unauthenticated, ProductNotFound) | sends(200, "ETag"),
    openapi_extra=OPTIONAL_TOKEN,
)
@catalogue_page
async def read_product(product_id: UUID, response: Response, database: Database, is_staff: IsStaff) -> EntryOut:
    """One product, and whether its variants are available. Only staff can read drafts, and how many units there are.

    Its version changes with the product, not with the stock.
    """
    product = await queries.product(database, product_id, drafts=is_staff)
    response.headers["ETag"] = etag(product.version)
    return entry_out(product, await queries.stock_of(database, [product]), numbers=is_staff)


@router.patch(
    "/v1/products/{product_id}",
    tags=["products"],
    summary="Change a product",
    responses=problems(Unauthenticated, Forbidden, *UpdateProduct.errors) | sends(200, "ETag"),
)
async def amend_product(
    product_id: UUID,
    body: ProductPatch,
    response: Response,
    commit: Commit,
    _staff: Staff,
    if_match: IfMatch = None,
) -> ProductOut:
    """Change the fields that are sent, and no others."""
    return _tagged(response, await commit(UpdateProduct(product_id, if_match, body.changes())))


@router.put(
    "/v1/products/{product_id}/variants/{sku}",
    tags=["products"],
    summary="Add or replace a variant",
    responses={
        **problems(Unauthenticated, Forbidden, *PutVariant.errors),
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
    """Set a variant as a whole; the ETag is the product's. A variant can be discontinued, but not removed."""
    product, new = await commit(PutVariant(product_id, if_match, body.to_variant(sku)))
    response.status_code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
    return _tagged(response, product)


def _tagged(response: Response, product: Product) -> ProductOut:
    response.headers["ETag"] = etag(product.version)
    return product_out(product)
