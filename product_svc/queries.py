"""What can be asked of product_svc."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from chassis.mongo import translated
from chassis.mongo_snapshot import Document, Query
from product_svc.domain import Product, Stock
from product_svc.errors import ProductUnknown, SkuUnknown
from product_svc.store import ProductDocument, StockDocument, moment, product_of, stock_of


async def product(product_id: UUID) -> Product:
    """One product; raise ``ProductUnknown``."""
    with translated():
        found = await ProductDocument.get(product_id)
    if found is None:
        raise ProductUnknown
    return _product(found)


async def products(skus: Sequence[str], after: UUID | None, limit: int) -> list[Product]:
    """Products in the order of their making, after one of them; where SKUs are given, those that have one."""
    query: dict[str, object] = {"variants.sku": {"$in": list(skus)}} if skus else {}
    if after:
        query["_id"] = {"$gt": after}
    with translated():
        found = await ProductDocument.find(query).sort("_id").limit(limit).to_list()
    return [_product(document) for document in found]


async def stock(sku: str) -> Stock:
    """The stock of one SKU; raise ``SkuUnknown``."""
    with translated():
        found = await StockDocument.get(sku)
    if found is None:
        raise SkuUnknown
    return stock_of(found.model_dump() | {"_id": found.id})[1]


def _product(document: ProductDocument) -> Product:
    return product_of(document.model_dump() | {"_id": document.id})[1]


def _line(kind: str, key: str, *fields: str) -> Callable[[Document], dict[str, Any]]:
    def line(document: Document) -> dict[str, Any]:
        told = {name: document[name] for name in fields}
        return {"kind": kind, key: document["_id"], **told, "changed_at": moment(document["changed_at"])}

    return line


def _movement(document: Document) -> dict[str, Any]:
    return {"kind": "movement", "sku": document["sku"], "delta": document["delta"]}


LEDGER = (
    Query("products", _line("product", "id", "version")),
    Query("stock", _line("stock", "sku", "on_hand", "reserved", "version")),
    Query("reservations", _line("reservation", "order_id", "state", "lines", "version")),
    Query("movements", _movement),
)
"""Everything, for the audit."""
