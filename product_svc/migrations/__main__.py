"""Brings the database of product_svc to the newest shape; does nothing where it is."""

import asyncio

from pydantic_settings import BaseSettings

from chassis.persistence.mongo.database import Mongo
from chassis.persistence.mongo.schema import create_collections
from chassis.runtime.settings import load
from product_svc import SERVICE
from product_svc.catalogue.documents import product_document, product_of
from product_svc.settings import DatabaseUrl
from product_svc.store import COLLECTIONS, open_documents


class MigrationSettings(BaseSettings):
    """Migrations need a database and nothing else."""

    mongo_url: DatabaseUrl


async def _rename_suspects(database: Mongo) -> None:
    if "suspects" in await database.db.list_collection_names():
        await database.db.suspects.rename("attempts")


async def migrate(url: str) -> None:
    """Make what is missing of collections, indexes, and the layout that searches need."""
    database = Mongo(url)
    await _rename_suspects(database)
    await create_collections(database.db, *COLLECTIONS)
    await open_documents(database, indexes=True)
    await lay_out(database)
    await note_discontinued(database)
    await database.close()


async def lay_out(database: Mongo) -> None:
    """Give products of the first release what searches look at."""
    async for document in database.db.products.find({"search": {"$exists": False}}):
        as_read = {"_id": document["_id"], "version": document["version"]}
        # Whoever changes it meanwhile lays it out too.
        await database.db.products.replace_one(as_read, product_document(product_of(document)[1]))


async def note_discontinued(database: Mongo) -> None:
    """Note at the stock of earlier releases what cannot be ordered."""
    gone = {"$or": [{"status": {"$ne": "active"}}, {"variants.status": "discontinued"}]}
    async for document in database.db.products.find(gone):
        product = product_of(document)[1]
        sold = {variant.sku for variant in product.for_sale}
        skus = [variant.sku for variant in product.variants if variant.sku not in sold]
        unnoted = {"_id": {"$in": skus}, "discontinued": {"$exists": False}}
        await database.db.stock.update_many(unnoted, {"$set": {"discontinued": True}})


if __name__ == "__main__":
    asyncio.run(migrate(str(load(MigrationSettings, SERVICE).mongo_url)))
