"""The routes of product_svc."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response, status
from uuid_utils.compat import uuid7

from chassis.auth import Staff
from chassis.errors import Forbidden, Unauthenticated
from chassis.groupcommit import GroupCommit
from chassis.rest import new_router, problems, state
from product_svc import queries
from product_svc.commands import adjust_stock, create_product
from product_svc.dto import (
    Adjustment,
    ProductBody,
    ProductOut,
    ProductsOut,
    StockOut,
    product_out,
    stock_out,
)
from product_svc.errors import ProductUnknown, SkuTaken, SkuUnknown, StockTooLow
from product_svc.store import Warehouse
from schemas.values import Sku

router = new_router()

Commit = Annotated[GroupCommit[Warehouse], state("commit")]
SkuInPath = Annotated[Sku, Path(examples=["MUG-BLUE"])]


@router.post(
    "/v1/products",
    status_code=status.HTTP_201_CREATED,
    tags=["products"],
    summary="Add a product",
    responses=problems(Unauthenticated, Forbidden, SkuTaken),
)
async def add_product(body: ProductBody, response: Response, commit: Commit, _staff: Staff) -> ProductOut:
    """Put a product in the catalogue; its stock starts at nothing."""
    product_id, variants = uuid7(), body.priced()

    def wants(unit: Warehouse) -> None:
        unit.products.want(product_id)
        unit.stock.want(*(variant.sku for variant in variants))

    product = await commit(lambda unit: create_product(unit, product_id, body.name, body.attributes, variants), wants)
    response.headers["Location"] = f"/v1/products/{product.id}"
    return product_out(product)


@router.get("/v1/products", tags=["products"], summary="Browse the catalogue")
async def list_products(
    sku: Annotated[list[Sku] | None, Query(max_length=100, description="only products with these SKUs")] = None,
    after: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ProductsOut:
    """Products in the order in which they were added. A page stays the same when others are added."""
    found = await queries.products(sku or (), after, limit + 1)
    page = [product_out(product) for product in found[:limit]]
    return ProductsOut(items=page, next=page[-1].id if len(found) > limit else None)


@router.get(
    "/v1/products/{product_id}",
    tags=["products"],
    summary="Read a product",
    responses=problems(ProductUnknown),
)
async def read_product(product_id: UUID) -> ProductOut:
    """One product."""
    return product_out(await queries.product(product_id))


@router.get("/v1/stock/{sku}", tags=["stock"], summary="Read the stock of a SKU", responses=problems(SkuUnknown))
async def read_stock(sku: SkuInPath) -> StockOut:
    """How many are on hand, reserved and available."""
    return stock_out(await queries.stock(sku))


@router.post(
    "/v1/stock/{sku}/adjustments",
    status_code=status.HTTP_201_CREATED,
    tags=["stock"],
    summary="Adjust the stock of a SKU",
    responses=problems(Unauthenticated, Forbidden, SkuUnknown, StockTooLow),
)
async def adjust(sku: SkuInPath, body: Adjustment, commit: Commit, _staff: Staff) -> StockOut:
    """Book a delivery, a count or a damage."""
    stock = await commit(
        lambda unit: adjust_stock(unit, sku, body.delta, body.reason), lambda unit: unit.stock.want(sku)
    )
    return stock_out(stock)
