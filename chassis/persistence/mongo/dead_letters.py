"""The dead letters in MongoDB."""

import base64
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from pymongo import UpdateOne
from pymongo.asynchronous.database import AsyncDatabase

from chassis.messaging.dead_letters import (
    OPEN,
    REDACTED,
    BlockedStreams,
    DeadLetter,
    LetterFilter,
    LetterState,
    LetterStatus,
    StoredLetter,
)
from chassis.messaging.records import KafkaRecord
from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.outbox import MongoOutbox
from chassis.persistence.mongo.transaction import Document, MongoTransaction

_ARRIVAL: Document = {"$setWindowFields": {"partitionBy": "$partition", "output": {"arrival": {"$min": "$at"}}}}


class MongoDeadLetters:
    """The collection ``dead_letters``; copies go through the ``outbox``."""

    def __init__(self, db: AsyncDatabase[Document], outbox: MongoOutbox) -> None:
        self._db, self._outbox = db, outbox

    async def add(self, tx: MongoTransaction, letters: Sequence[DeadLetter]) -> None:
        """Store dead letters, and put a copy of each in the outbox."""
        if not letters:
            return
        new = {"at": datetime.now(UTC), "original": None, "redrives": 0}
        await self._db.dead_letters.insert_many([{**letter.row(), **new} for letter in letters], session=tx.session)
        await self._outbox.add(tx, [letter.copy() for letter in letters])

    async def redact(self, tx: MongoTransaction, ids: Collection[UUID]) -> None:
        """Remove the values and the detail of every dead letter that mentions one of these ids."""
        if not ids:
            return
        texts = [str(one).encode() for one in ids]
        # The server cannot search inside binary values.
        letters = self._db.dead_letters.find(
            {"$or": [{"value": {"$ne": None}}, {"original": {"$ne": None}}]},
            {"key": 1, "value": 1, "original": 1},
            session=tx.session,
        )
        mentioning = [letter["_id"] async for letter in letters if any(_mentions(letter, text) for text in texts)]
        await self._db.dead_letters.update_many(
            {"_id": {"$in": mentioning}},
            {"$set": {"value": None, "original": None, "detail": REDACTED}},
            session=tx.session,
        )

    async def lock_stream(self, tx: MongoTransaction, event: UUID, limit: int) -> Sequence[StoredLetter]:
        """The first open letters of the stream of this event's letter, in order; none if that letter is closed."""
        letters, session = self._db.dead_letters, tx.session
        this = await letters.find_one({"event_id": event, "state": {"$in": OPEN}}, session=session)
        if this is None:
            return []
        of_stream = {"stream": this["stream"]} if this["stream"] is not None else {"event_id": event}
        query = {**of_stream, "consumer_group": this["consumer_group"], "state": {"$in": OPEN}}
        in_order = [{"$match": query}, _ARRIVAL, {"$sort": {"arrival": 1, "offset": 1}}, {"$limit": limit}]
        found = await (await letters.aggregate(in_order, session=session)).to_list()
        # A consumer that parks behind the head writes to it as well (inbox.py): one of the two tries again.
        await letters.update_one({"_id": found[0]["_id"]}, {"$inc": {"locked": 1}}, session=session)
        return [_letter(document) for document in found]

    async def update(self, tx: MongoTransaction, letters: Sequence[StoredLetter]) -> None:
        """Store what has changed in letters that are locked."""
        changes = [UpdateOne({"event_id": letter.event_id}, {"$set": _changeable(letter)}) for letter in letters]
        if changes:
            await self._db.dead_letters.bulk_write(changes, session=tx.session)

    async def get(self, event: UUID) -> StoredLetter | None:
        """The letter of an event."""
        with translated():
            document = await self._db.dead_letters.find_one({"event_id": event})
        return _letter(document) if document else None

    async def find(self, wanted: LetterFilter, after: UUID | None, limit: int) -> Sequence[StoredLetter]:
        """Letters in the order of their event's ids."""
        query: Document = {"state": {"$in": list(wanted.states)}}
        if after:
            query["event_id"] = {"$gt": after}
        if wanted.key is not None:
            query["key"] = wanted.key.encode()
        if wanted.fingerprint is not None:
            query["fingerprint"] = wanted.fingerprint
        if wanted.type is not None:
            query["headers"] = ["ce_type", base64.b64encode(wanted.type.encode()).decode()]
        with translated():
            found = await self._db.dead_letters.find(query).sort("event_id").limit(limit).to_list()
        return [_letter(document) for document in found]

    async def states(self, group: str, ids: Collection[UUID]) -> Mapping[UUID, LetterStatus]:
        """The dead letters among these events, and what became of them. A read of its own, in no transaction."""
        query = {"event_id": {"$in": list(ids)}, "consumer_group": group}
        with translated():
            found = await self._db.dead_letters.find(query, {"event_id": 1, "state": 1, "at": 1}).to_list()
        return {document["event_id"]: LetterStatus(document["state"], document["at"]) for document in found}

    async def blocked_streams(self, group: str) -> BlockedStreams:
        """The streams that have an open letter."""
        which = {"$match": {"consumer_group": group, "state": {"$in": OPEN}, "stream": {"$ne": None}}}
        place = {"stream": "$stream", "partition": "$partition"}
        firsts = {"$group": {"_id": place, "offset": {"$min": "$offset"}}}
        with translated():
            found = await (await self._db.dead_letters.aggregate([which, firsts])).to_list()
        return BlockedStreams((one["_id"]["stream"], one["_id"]["partition"], one["offset"]) for one in found)

    async def count_open(self, group: str) -> Mapping[tuple[str, LetterState], int]:
        """How many open letters there are, by topic and state; nothing where there are none."""
        which = {"$match": {"consumer_group": group, "state": {"$in": OPEN}}}
        counts = {"$group": {"_id": {"topic": "$topic", "state": "$state"}, "letters": {"$sum": 1}}}
        with translated():
            found = await (await self._db.dead_letters.aggregate([which, counts])).to_list()
        return {(one["_id"]["topic"], one["_id"]["state"]): one["letters"] for one in found}


def _mentions(letter: Document, text: bytes) -> bool:
    return text == letter["key"] or any(text in letter[name] for name in ("value", "original") if letter.get(name))


def _letter(document: Document) -> StoredLetter:
    headers = tuple((name, base64.b64decode(value)) for name, value in document["headers"])
    place = (document["topic"], document["partition"], document["offset"])
    return StoredLetter(
        document["event_id"],
        document["consumer_group"],
        document["state"],
        KafkaRecord(*place, document["key"], headers, document["value"]),
        document["reason"],
        document["detail"],
        document["fingerprint"],
        document["at"],
        document.get("original"),
        document.get("redrives", 0),
    )


def _changeable(letter: StoredLetter) -> Document:
    return {
        "state": letter.state,
        "reason": letter.reason,
        "detail": letter.detail,
        "fingerprint": letter.fingerprint,
        "value": letter.record.value,
        "original": letter.original,
        "redrives": letter.redrives,
    }
