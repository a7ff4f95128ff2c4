"""The subscriptions in MongoDB."""

from pymongo.asynchronous.database import AsyncDatabase

from chassis.messaging.subscriptions import Starts
from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.transaction import Document


class MongoSubscriptions:
    """The collection ``subscriptions``."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._db = db

    async def load(self, group: str) -> Starts:
        """The topics that the group has subscribed to."""
        with translated():
            found = await self._db.subscriptions.find({"group": group}).to_list()
        return {one["topic"]: {int(number): offset for number, offset in one["starts"].items()} for one in found}

    async def add(self, group: str, starts: Starts) -> None:
        """Add topics; those that are known already stay as they are."""
        with translated():
            for topic, at in starts.items():
                document = {"group": group, "topic": topic, "starts": {str(n): offset for n, offset in at.items()}}
                await self._db.subscriptions.update_one(
                    {"_id": f"{group}/{topic}"}, {"$setOnInsert": document}, upsert=True
                )
