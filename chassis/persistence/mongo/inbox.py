"""The inbox and the attempts in MongoDB.

A key that is taken aborts the whole transaction, so the inbox looks before it enters, and leaves a race between two
processes to the write conflict.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from pymongo.asynchronous.database import AsyncDatabase

from chassis.messaging.dead_letters import OPEN, BlockedStreams
from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.transaction import Document, Lookup, MongoTransaction


@dataclass(frozen=True, slots=True)
class MongoDeduplication:
    """Events that are being entered in the inbox."""

    tx: MongoTransaction
    group: str
    keys: dict[str, UUID]
    known: Lookup
    letters: Lookup

    async def outcome(self) -> tuple[set[UUID], BlockedStreams]:
        """The events that were not in the inbox before, and the streams that have a dead letter."""
        known = {document["_id"] for document in await self.known.documents()}
        new = {key: event for key, event in self.keys.items() if key not in known}
        if new:
            await self.tx.db.inbox.insert_many([{"_id": key} for key in new], session=self.tx.session)
        places = [(one["stream"], one["partition"], one["offset"]) for one in await self.letters.documents()]
        blocked = BlockedStreams(places)
        if new and places:
            # A redrive of these letters writes to their heads as well: one of the two tries again.
            heads = {"consumer_group": self.group, "stream": {"$in": list(blocked.names)}, "state": "dead"}
            await self.tx.db.dead_letters.update_many(heads, {"$inc": {"locked": 1}}, session=self.tx.session)
        return set(new.values()), blocked


class MongoInbox:
    """The inbox: a document for each event that a group has handled."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._db = db

    def deduplicate(
        self, tx: MongoTransaction, group: str, events: Collection[UUID], streams: Collection[str]
    ) -> MongoDeduplication:
        """Enter events in the inbox. Statements issued before the outcome is awaited share its round trip."""
        keys = {_key(group, event): event for event in events}
        of_streams = {"consumer_group": group, "stream": {"$in": list(streams)}, "state": {"$in": OPEN}}
        return MongoDeduplication(
            tx,
            group,
            keys,
            tx.find("inbox", {"_id": {"$in": list(keys)}}, "_id"),
            tx.find("dead_letters", of_streams, "stream", "partition", "offset"),
        )

    async def known(self, group: str, ids: Collection[UUID]) -> set[UUID]:
        """Which of these events are in the inbox, dead letters included. A read of its own, in no transaction."""
        keys = {_key(group, event): event for event in ids}
        with translated():
            found = await self._db.inbox.find({"_id": {"$in": list(keys)}}, {"_id": 1}).to_list()
        return {keys[document["_id"]] for document in found}


class MongoAttempts:
    """How often an event was being handled when the process died."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._db = db

    async def record(self, tx: MongoTransaction, group: str, events: Collection[UUID]) -> Mapping[UUID, int]:
        """Record a first attempt for events that have none; return the earlier attempts of those that have."""
        keys = {_key(group, event): event for event in events}
        known = await self._db.attempts.find({"_id": {"$in": list(keys)}}, session=tx.session).to_list()
        starts = {keys[document["_id"]]: int(document["starts"]) for document in known}
        first = [{"_id": key, "starts": 1} for key, event in keys.items() if event not in starts]
        if first:
            await self._db.attempts.insert_many(first, session=tx.session)
        return starts

    async def increment(self, tx: MongoTransaction, group: str, events: Collection[UUID]) -> None:
        """Count one more attempt."""
        keys = [_key(group, event) for event in events]
        await self._db.attempts.update_many({"_id": {"$in": keys}}, {"$inc": {"starts": 1}}, session=tx.session)

    async def clear(self, tx: MongoTransaction, group: str, events: Collection[UUID]) -> None:
        """Remove the attempts of events that were handled."""
        keys = [_key(group, event) for event in events]
        await self._db.attempts.delete_many({"_id": {"$in": keys}}, session=tx.session)


def _key(group: str, event: UUID) -> str:
    return f"{group}/{event}"
