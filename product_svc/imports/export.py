"""Writes products as lines that can be imported."""

import csv
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from io import StringIO
from typing import Any
from uuid import UUID

import orjson

from chassis.persistence.mongo.database import Mongo
from product_svc.catalogue.domain import Product, Variant
from product_svc.imports import queries
from product_svc.imports.domain import Format
from product_svc.imports.lines import EXPORTED, neutralised

MEDIA_TYPES: dict[Format, str] = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


async def exported(database: Mongo, form: Format, after: UUID | None) -> AsyncGenerator[bytes, None]:
    """The lines of all products, in chunks; the first chunk is the heading, or empty.

    An export that continues after a product has no heading.
    """
    write: Callable[[Sequence[Product]], bytes] = rows if form == "csv" else lines
    yield _csv([EXPORTED]) if form == "csv" and after is None else b""
    async with aclosing(queries.all_products(database, after)) as pages:
        async for products in pages:
            yield write(products)


def lines(products: Sequence[Product]) -> bytes:
    """NDJSON, a product a line."""
    return b"".join(orjson.dumps(_product(product), option=orjson.OPT_APPEND_NEWLINE) for product in products)


def rows(products: Sequence[Product]) -> bytes:
    """CSV, a variant a line, without the heading."""
    return _csv([_row(product, variant) for product in products for variant in product.variants])


def _product(product: Product) -> dict[str, Any]:
    return {
        "id": product.id,
        "version": product.version,
        "name": product.name,
        "description": product.description,
        "category_id": product.category_id,
        "attributes": product.attributes,
        "images": product.images,
        "status": product.status,
        "variants": [_variant(variant) for variant in product.variants],
    }


def _variant(variant: Variant) -> dict[str, Any]:
    return {
        "sku": variant.sku,
        "price": variant.price.model_dump(),
        "attributes": variant.attributes,
        "images": variant.images,
        "status": variant.status,
    }


def _row(product: Product, variant: Variant) -> Sequence[object]:
    return (
        *(product.id, product.version, product.name, product.description, product.category_id or ""),
        *(_json(product.attributes), " ".join(product.images), product.status),
        *(variant.sku, variant.price.amount, variant.price.currency),
        *(_json(variant.attributes), " ".join(variant.images), variant.status),
    )


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _csv(table: Sequence[Sequence[object]]) -> bytes:
    text = StringIO()
    safe = ([neutralised(cell) if isinstance(cell, str) else cell for cell in row] for row in table)
    csv.writer(text, lineterminator="\n").writerows(safe)
    return text.getvalue().encode()
