"""Stock of products and variants that are not for sale is marked as discontinued: reservations read it there."""

from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from product_svc.catalogue.store import read_product

NOT_FOR_SALE = {
    "$or": [{"status": {"$exists": True, "$ne": "active"}}, {"variants.status": "discontinued"}],
}


async def upgrade(db: AsyncDatabase[Any]) -> None:
    async for document in db.products.find(NOT_FOR_SALE):
        product = read_product(document)[1]
        for_sale = {variant.sku for variant in product.for_sale}
        skus = [variant.sku for variant in product.variants if variant.sku not in for_sale]
        unmarked = {"_id": {"$in": skus}, "discontinued": {"$exists": False}}
        await db.stock.update_many(unmarked, {"$set": {"discontinued": True}})
