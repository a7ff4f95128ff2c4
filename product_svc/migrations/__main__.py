"""Brings the database of product_svc to the newest shape; does nothing where it is."""

import asyncio

from pydantic_settings import BaseSettings

from chassis.mongo import Mongo
from chassis.settings import load
from product_svc import SERVICE
from product_svc.settings import DatabaseUrl
from product_svc.store import COLLECTIONS, open_documents


class MigrationSettings(BaseSettings):
    """Migrations need a database and nothing else."""

    mongo_url: DatabaseUrl


async def migrate(url: str) -> None:
    """Make what is missing of collections and indexes."""
    database = Mongo(url)
    await database.make_collections(*COLLECTIONS)
    await open_documents(database, indexes=True)
    await database.close()


if __name__ == "__main__":
    asyncio.run(migrate(str(load(MigrationSettings, SERVICE).mongo_url)))
