"""The outbox in MongoDB: added to by transactions, read by the one process that holds a lease.

There is no sequence that grows in commit order per aggregate: the outbox is ordered by the event's time, which grows
with every change of one aggregate whatever the clocks say (``unit_of_work.next_time``).
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from pymongo.asynchronous.database import AsyncDatabase
from uuid_utils.compat import uuid7

from chassis.messaging.outbox import MOST_COUNTED, OutboxBacklog, PendingMessage
from chassis.persistence.errors import LeadershipLost
from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.lease import MongoLease
from chassis.persistence.mongo.transaction import Document, MongoTransaction
from schemas import Message

LEASE_SECONDS = 10
CANDIDATE_SECONDS = 1.0
"""How often a process that is not the leader tries to become it."""


class MongoOutbox:
    """The outbox as transactions write to it."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._db = db
        self.added = asyncio.Event()

    async def add(self, tx: MongoTransaction, messages: Sequence[Message]) -> None:
        """Store messages, to be published after the commit, in this order."""
        if not messages:
            return
        await self._db.outbox.insert_many([_document(message) for message in messages], session=tx.session)
        tx.has_messages = True

    async def backlog(self) -> OutboxBacklog:
        """Return what is not published yet."""
        oldest = await self._db.outbox.find_one(sort=[("at", 1), ("_id", 1)], projection={"headers.ce_time": 1})
        if oldest is None:
            return OutboxBacklog(0, 0.0)
        happened = datetime.fromisoformat(oldest["headers"]["ce_time"])
        waiting = await self._db.outbox.count_documents({}, limit=MOST_COUNTED)
        return OutboxBacklog(waiting, max(0.0, (datetime.now(UTC) - happened).total_seconds()))


class MongoLeadership:
    """The relay's leadership, as a lease by the server's clock."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._db, self._lease = db, MongoLease(db, "relay", LEASE_SECONDS)

    @asynccontextmanager
    async def lead(self) -> AsyncIterator["MongoOutboxReader"]:
        """Wait until this process is the leader, then give it the outbox; give up leadership at the end."""
        owner = str(uuid7())
        while not await self._lease.hold(owner):
            await asyncio.sleep(CANDIDATE_SECONDS)
        try:
            yield MongoOutboxReader(self._db, self._lease, owner)
        finally:
            await self._lease.release(owner)


class MongoOutboxReader:
    """The outbox as the relay reads it."""

    def __init__(self, db: AsyncDatabase[Document], lease: MongoLease, owner: str) -> None:
        self._db, self._lease, self._owner = db, lease, owner
        self._renew_at = 0.0

    async def advance(self, published: Sequence[PendingMessage], limit: int) -> Sequence[PendingMessage]:
        """Delete messages that the broker has confirmed, and return the oldest of the rest, in insertion order.

        Raise ``LeadershipLost`` when this process is no longer the leader.
        """
        await self._keep_lease()
        with translated():
            if published:
                await self._db.outbox.delete_many({"_id": {"$in": [row.position for row in published]}})
            cursor = self._db.outbox.find().sort([("at", 1), ("_id", 1)]).limit(limit)
            return [
                PendingMessage(d["_id"], Message(d["event_id"], d["topic"], d["key"], d["headers"], d["value"]))
                for d in await cursor.to_list()
            ]

    async def _keep_lease(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._renew_at:
            return
        if not await self._lease.hold(self._owner):
            raise LeadershipLost
        self._renew_at = now + self._lease.seconds / 4


def _document(message: Message) -> Document:
    return {
        "_id": uuid7(),
        "at": message.headers.get("ce_time", ""),
        "event_id": message.id,
        "topic": message.topic,
        "key": message.key,
        "headers": dict(message.headers),
        "value": message.value,
    }
