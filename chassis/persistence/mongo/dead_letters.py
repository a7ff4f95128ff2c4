"""The dead letters in MongoDB."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from pymongo.asynchronous.database import AsyncDatabase

from chassis.messaging.dead_letters import REDACTED, DeadLetter, LetterStatus
from chassis.persistence.mongo.connection import translated
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

    async def states(self, group: str, ids: Collection[UUID]) -> Mapping[UUID, LetterStatus]:
        """The dead letters among these events, and what became of them. A read of its own, in no transaction."""
        wanted = {"consumer_group": group, "event_id": {"$in": list(ids)}}
        with translated():
            found = (
                await self._db.dead_letters.find(wanted, {"event_id": 1, "state": 1, "at": 1}).sort("_id").to_list()
            )
        return {letter["event_id"]: LetterStatus(letter["state"], letter["at"]) for letter in found}
