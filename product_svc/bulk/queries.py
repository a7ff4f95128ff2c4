"""What can be asked of imports, and everything for an export."""

from collections.abc import AsyncGenerator, Collection, Sequence
from typing import Any
from uuid import UUID

from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.database import Mongo
from product_svc.bulk.documents import fault_of, import_of
from product_svc.bulk.domain import Fault, Import
from product_svc.catalogue.documents import product_of
from product_svc.catalogue.domain import Product
from product_svc.errors import ImportUnknown

CHUNK = 200


async def import_(database: Mongo, import_id: UUID) -> Import:
    """One import; raise ``ImportUnknown``."""
    with translated():
        found = await database.db.imports.find_one({"_id": import_id})
    if found is None:
        raise ImportUnknown
    return import_of(found)[1]


async def imports(database: Mongo, before: UUID | None, limit: int) -> list[Import]:
    """Imports, newest first, before one of them."""
    query = {"_id": {"$lt": before}} if before else {}
    with translated():
        found = await database.db.imports.find(query).sort("_id", -1).limit(limit).to_list()
    return [import_of(document)[1] for document in found]


async def faults(database: Mongo, import_id: UUID, after: int, limit: int) -> list[Fault]:
    """The lines of an import that were not taken, in order, after one of them; raise ``ImportUnknown``."""
    await import_(database, import_id)
    query = {"import_id": import_id, "line": {"$gt": after}}
    with translated():
        found = await database.db.import_faults.find(query).sort("line").limit(limit).to_list()
    return [fault_of(document) for document in found]


async def owners(database: Mongo, skus: Collection[str]) -> dict[str, UUID]:
    """SKU → the product that has it, of those that there are."""
    if not skus:
        return {}
    with translated():
        query = {"variants.sku": {"$in": list(skus)}}
        found = await database.db.products.find(query, {"variants.sku": 1}).to_list()
    return {variant["sku"]: product["_id"] for product in found for variant in product["variants"]}


async def count(database: Mongo, after: UUID | None) -> int:
    """How many products there are after one of them."""
    with translated():
        return int(await database.db.products.count_documents(_after(after)))


async def everything(database: Mongo, after: UUID | None) -> AsyncGenerator[Sequence[Product], None]:
    """All products in the order of their making, some at a time, each as it is when its turn comes."""
    while True:
        with translated():
            found = await database.db.products.find(_after(after)).sort("_id").limit(CHUNK).to_list()
        if not found:
            return
        yield [product_of(document)[1] for document in found]
        after = found[-1]["_id"]


def _after(after: UUID | None) -> dict[str, Any]:
    return {"_id": {"$gt": after}} if after else {}
