"""What can be asked of the stock, and what the service has for the audit."""

from collections.abc import Callable
from typing import Any

from chassis.mongo import translated
from chassis.mongo_snapshot import Document, Query
from product_svc.domain import Stock
from product_svc.errors import SkuUnknown
from product_svc.store import StockDocument, stock_of
from product_svc.times import moment


async def stock(sku: str) -> Stock:
    """The stock of one SKU; raise ``SkuUnknown``."""
    with translated():
        found = await StockDocument.get(sku)
    if found is None:
        raise SkuUnknown
    return stock_of(found.model_dump() | {"_id": found.id})[1]


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
