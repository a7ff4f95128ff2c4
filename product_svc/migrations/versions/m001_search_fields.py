"""Products of the first release get the fields that searches read."""

from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from product_svc.catalogue.store import product_document, read_product


async def upgrade(db: AsyncDatabase[Any]) -> None:
    async for document in db.products.find({"search": {"$exists": False}}):
        as_read = {"_id": document["_id"], "version": document["version"]}
        # Nothing happens where the product has been changed in between: that has added the fields.
        await db.products.replace_one(as_read, product_document(read_product(document)[1]))
