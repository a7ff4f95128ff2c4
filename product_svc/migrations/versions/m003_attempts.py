"""The collection ``suspects`` is renamed to ``attempts``."""

from typing import Any

from pymongo.asynchronous.database import AsyncDatabase


async def upgrade(db: AsyncDatabase[Any]) -> None:
    names = await db.list_collection_names()
    if "suspects" not in names:
        return
    if "attempts" in names:
        # A process of this release counts already; the counts of the one before only delay an isolation.
        await db.suspects.drop()
    else:
        await db.suspects.rename("attempts")
