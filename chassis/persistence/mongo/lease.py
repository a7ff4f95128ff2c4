"""Leases by the server's clock: of all processes that want one, a single one holds it."""

from datetime import UTC, datetime

from pymongo.asynchronous.database import AsyncDatabase

from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.transaction import Document

FREE_LEASE: Document = {"owner": None, "until": datetime.fromtimestamp(0, UTC)}


class MongoLease:
    """One document of the collection ``leases``, which exists from the first migration on."""

    def __init__(self, db: AsyncDatabase[Document], name: str, seconds: int) -> None:
        self._db, self._name, self.seconds = db, name, seconds

    async def create(self) -> None:
        """Create the lease, free, where it does not exist."""
        with translated():
            await self._db.leases.update_one({"_id": self._name}, {"$setOnInsert": FREE_LEASE}, upsert=True)

    async def hold(self, owner: str) -> bool:
        """Take or renew the lease; False while another process holds it."""
        free = {"$or": [{"$eq": ["$owner", owner]}, {"$lt": ["$until", "$$NOW"]}]}
        until = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": self.seconds}}
        with translated():
            held = await self._db.leases.find_one_and_update(
                {"_id": self._name, "$expr": free}, [{"$set": {"owner": owner, "until": until}}]
            )
        return held is not None

    async def release(self, owner: str) -> None:
        """Give the lease up, if it is still held."""
        with translated():
            await self._db.leases.update_one({"_id": self._name, "owner": owner}, {"$set": FREE_LEASE})
