"""What can be read of single products; lists of them are in ``search.queries``."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.database import Mongo
from chassis.persistence.mongo.snapshot import Document, Query
from chassis.persistence.mongo.times import from_micros
from product_svc.catalogue.domain import Product
from product_svc.catalogue.store import read_product
from product_svc.errors import ProductNotFound
from product_svc.stock.domain import Stock
from product_svc.stock.queries import stock_by_sku


async def product(database: Mongo, product_id: UUID, *, drafts: bool = False) -> Product:
    """One product; raise ``ProductNotFound``, without ``drafts`` also for a draft."""
    # In documents of the first release the status is missing, and all of them are active.
    visible: dict[str, Any] = {} if drafts else {"status": {"$ne": "draft"}}
    with translated():
        found = await database.db.products.find_one({"_id": product_id, **visible})
    if found is None:
        raise ProductNotFound
    return read_product(found)[1]


async def stock_of(database: Mongo, products: Iterable[Product]) -> dict[str, Stock]:
    """SKU → the stock of every variant of products, as of now, with one query for a whole page."""
    return await stock_by_sku(database, [variant.sku for product in products for variant in product.variants])


def _product_line(document: Document) -> dict[str, Any]:
    changed_at = from_micros(document["changed_at"])
    return {"kind": "product", "id": document["_id"], "version": document["version"], "changed_at": changed_at}


PRODUCT_LEDGER = Query("products", _product_line)
