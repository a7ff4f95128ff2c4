"""Brings the database of product_svc up to date; changes nothing where it is.

First the versions that did not run yet, then what the documents declare: collections and indexes that are missing.
"""

import asyncio
from typing import Annotated

import typer

from chassis.persistence.mongo.database import Mongo
from chassis.persistence.mongo.migrate import one_at_a_time, run_versions, version_names
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


async def migrate(url: str, again: str | None = None) -> None:
    """Upgrade the database at ``url``; run the version ``again`` in any case."""
    database = Mongo(url)
    try:
        async with one_at_a_time(database.db):
            await run_versions(database.db, versions, again)
            await create_collections(database.db, *COLLECTIONS)
            await open_documents(database, indexes=True)
    finally:
        await database.close()


def main(
    again: Annotated[
        str | None,
        typer.Option(
            help="Run this version once more, like m005_offers after processes of a release without offers."
        ),
    ] = None,
) -> None:
    """Bring the database of product_svc up to date."""
    if again and again not in (known := version_names(versions)):
        raise typer.BadParameter(f"no version {again}: there are {', '.join(sorted(known))}")
    asyncio.run(migrate(str(load(MigrationSettings, SERVICE).mongo_url), again))


if __name__ == "__main__":
    typer.run(main)
