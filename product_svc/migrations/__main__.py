"""Brings the database of product_svc up to date; changes nothing where it is.

First the versions that did not run yet, then what the documents declare: collections and indexes that are missing.
"""

import asyncio

from chassis.persistence.mongo.database import Mongo
from chassis.persistence.mongo.migrate import one_at_a_time, run_versions
from chassis.persistence.mongo.schema import create_collections
from chassis.runtime.setting_files import FileSettings
from chassis.runtime.settings import load
from product_svc import SERVICE
from product_svc.migrations import versions
from product_svc.settings import DatabaseUrl
from product_svc.unit_of_work import COLLECTIONS, open_documents


class MigrationSettings(FileSettings):
    """Migrations need a database and nothing else."""

    mongo_url: DatabaseUrl


async def migrate(url: str) -> None:
    """Upgrade the database at ``url``."""
    database = Mongo(url)
    try:
        async with one_at_a_time(database.db):
            await run_versions(database.db, versions)
            await create_collections(database.db, *COLLECTIONS)
            await open_documents(database, indexes=True)
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(migrate(str(load(MigrationSettings, SERVICE).mongo_url)))
