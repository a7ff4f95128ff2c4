"""The collections that every service on MongoDB has."""

from collections.abc import Sequence
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import CollectionInvalid, OperationFailure

from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.lease import FREE_LEASE
from chassis.persistence.mongo.transaction import Document
from chassis.persistence.mongo.wake_ups import CAPPED_BYTES
from chassis.persistence.mongo.wake_ups import COLLECTION as WAKE_UPS

COLLECTIONS = ("outbox", "inbox", "dead_letters", "attempts", "leases", "jobs", "actions", "subscriptions")
INDEXES: Sequence[tuple[str, Sequence[tuple[str, int]]]] = (
    ("outbox", [("at", 1), ("_id", 1)]),
    ("dead_letters", [("consumer_group", 1), ("stream", 1)]),
    ("dead_letters", [("event_id", 1)]),
    ("jobs", [("state", 1)]),
    ("actions", [("position", 1)]),
)
NAMESPACE_EXISTS = 48


async def create_collections(db: AsyncDatabase[Document], *names: str) -> None:
    """Create the named collections where they are missing, and the chassis's own with their indexes."""
    with translated():
        existing = await db.list_collection_names()
        for name in sorted({*COLLECTIONS, WAKE_UPS, *names} - set(existing)):
            capped: dict[str, Any] = {"capped": True, "size": CAPPED_BYTES} if name == WAKE_UPS else {}
            try:
                await db.create_collection(name, **capped)
            except CollectionInvalid:
                continue
            except OperationFailure as error:
                # Another process migrates at the same time.
                if error.code != NAMESPACE_EXISTS:
                    raise
        for name, index in INDEXES:
            await db[name].create_index(index)
        for lease in ("relay", "jobs"):
            await db.leases.update_one({"_id": lease}, {"$setOnInsert": FREE_LEASE}, upsert=True)
