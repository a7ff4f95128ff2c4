"""What can be read of imports, and the products for an export."""

from collections.abc import AsyncGenerator, Collection, Sequence
from typing import Any
from uuid import UUID

from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.database import Mongo
from product_svc.catalogue.domain import Product
from product_svc.catalogue.store import read_product
from product_svc.errors import ImportNotFound
from product_svc.imports.domain import Fault, Import
from product_svc.imports.store import read_fault, read_import

CHUNK = 200


async def import_(database: Mongo, import_id: UUID) -> Import:
    """One import; raise ``ImportNotFound``."""
    with translated():
        found = await database.db.imports.find_one({"_id": import_id})
    if found is None:
        raise ImportNotFound
    return read_import(found)[1]


async def imports(database: Mongo, before: UUID | None, limit: int) -> list[Import]:
    """Imports, newest first, before one of them."""
    query = {"_id": {"$lt": before}} if before else {}
    with translated():
        found = await database.db.imports.find(query).sort("_id", -1).limit(limit).to_list()
    return [read_import(document)[1] for document in found]


async def faults(database: Mongo, import_id: UUID, after: int, limit: int) -> list[Fault]:
    """The faults of an import in the order of its lines, after one of them; raise ``ImportNotFound``."""
    await import_(database, import_id)
    query = {"import_id": import_id, "line": {"$gt": after}}
    with translated():
        found = await database.db.import_faults.find(query).sort("line").limit(limit).to_list()
    return [read_fault(document) for document in found]


async def owners(database: Mongo, skus: Collection[str]) -> dict[str, UUID]:
    """SKU → the product that has it, of those that exist."""
    if not skus:
        return {}
    with translated():
        query = {"variants.sku": {"$in": list(skus)}}
        found = await database.db.products.find(query, {"variants.sku": 1}).to_list()
    return {variant["sku"]: product["_id"] for product in found for variant in product["variants"]}


async def count_products(database: Mongo, after: UUID | None) -> int:
    """How many products there are after one of them."""
    with translated():
        return int(await database.db.products.count_documents(_after(after)))


async def all_products(database: Mongo, after: UUID | None) -> AsyncGenerator[Sequence[Product], None]:
    """All products in the order of their creation, in chunks; each as it is when its chunk is read."""
    while True:
        with translated():
            found = await database.db.products.find(_after(after)).sort("_id").limit(CHUNK).to_list()
        if not found:
            return
        yield [read_product(document)[1] for document in found]
        after = found[-1]["_id"]


def _after(after: UUID | None) -> dict[str, Any]:
    return {"_id": {"$gt": after}} if after else {}
