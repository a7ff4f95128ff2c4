"""The dead letters in MongoDB."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from uuid import UUID

from pymongo.asynchronous.database import AsyncDatabase

from chassis.messaging.dead_letters import REDACTED, DeadLetter
from chassis.persistence.mongo.outbox import MongoOutbox
from chassis.persistence.mongo.transaction import Document, MongoTransaction


class MongoDeadLetters:
    """The collection ``dead_letters``; copies go through the ``outbox``."""

    def __init__(self, db: AsyncDatabase[Document], outbox: MongoOutbox) -> None:
        self._db, self._outbox = db, outbox

    async def add(self, tx: MongoTransaction, letters: Sequence[DeadLetter]) -> None:
        """Store dead letters, and put a copy of each in the outbox."""
        if not letters:
            return
        await self._db.dead_letters.insert_many(
            [{**letter.row(), "at": datetime.now(UTC)} for letter in letters], session=tx.session
        )
        await self._outbox.add(tx, [letter.copy() for letter in letters])

    async def redact(self, tx: MongoTransaction, ids: Collection[UUID]) -> None:
        """Remove the value and the detail of every dead letter that mentions one of these ids."""
        if not ids:
            return
        texts = [str(one).encode() for one in ids]
        # The server cannot search inside binary values.
        letters = self._db.dead_letters.find({"value": {"$ne": None}}, {"key": 1, "value": 1}, session=tx.session)
        mentioning = [
            letter["_id"]
            async for letter in letters
            if any(text == letter["key"] or text in letter["value"] for text in texts)
        ]
        await self._db.dead_letters.update_many(
            {"_id": {"$in": mentioning}}, {"$set": {"value": None, "detail": REDACTED}}, session=tx.session
        )
