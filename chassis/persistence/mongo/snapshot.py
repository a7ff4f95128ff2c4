"""MongoDB as of one moment, for reads that take long: a snapshot session. The same verbs as ``postgres/snapshot.py``.

The server keeps the past for five minutes (``minSnapshotHistoryWindowInSeconds``); a longer read is cut off.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

CHUNK = 1000

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Query:
    """A collection, and the line for each of its documents."""

    collection: str
    line: Callable[[Document], dict[str, Any]]
    order: Sequence[tuple[str, int]] = (("$natural", 1),)


def _waiting(document: Document) -> dict[str, Any]:
    headers = document["headers"]
    return {
        "kind": "waiting",
        **{name: document[name] for name in ("event_id", "topic", "key")},
        "version": headers.get("ce_aggregateversion"),
        "at": headers.get("ce_time"),
    }


def _handled(document: Document) -> dict[str, Any]:
    group, _, event_id = document["_id"].rpartition("/")
    return {"kind": "handled", "group": group, "event_id": event_id}


_LETTER = (
    *("event_id", "state", "topic", "partition", "offset", "key"),
    *("reason", "detail", "fingerprint", "at"),
)


def _letter(document: Document) -> dict[str, Any]:
    story = {name: document[name] for name in _LETTER}
    return {"kind": "dead_letter", "group": document["consumer_group"], **story}


class MongoSnapshot:
    """The database as of one moment."""

    outbox: ClassVar = Query("outbox", _waiting, (("at", 1), ("_id", 1)))
    inbox: ClassVar = Query("inbox", _handled)
    dead_letters: ClassVar = Query("dead_letters", _letter, (("_id", 1),))

    def __init__(self, db: AsyncDatabase[Any], session: AsyncClientSession) -> None:
        self._db, self._session = db, session

    async def outbox_size(self) -> int:
        """How many events are in the outbox."""
        return int(await self._db.outbox.count_documents({}, session=self._session))

    async def dead_letters_by_state(self) -> Mapping[str, int]:
        """How many dead letters there are, by state."""
        by_state = [{"$group": {"_id": "$state", "letters": {"$sum": 1}}}]
        cursor = await self._db.dead_letters.aggregate(by_state, session=self._session)
        return {one["_id"]: one["letters"] for one in await cursor.to_list()}

    async def rows(self, query: Query) -> AsyncGenerator[Sequence[Mapping[str, Any]], None]:
        """The lines of a query, in chunks."""
        cursor = self._db[query.collection].find(session=self._session, batch_size=CHUNK).sort(query.order)
        try:
            while documents := await cursor.to_list(CHUNK):
                yield [query.line(document) for document in documents]
        finally:
            await cursor.close()
