"""MongoDB: transactions, outbox, inbox and dead letters. The same verbs as ``sql.py``, in its order.

Two differences come from the database. A key that is taken aborts the whole transaction, so the inbox
looks before it enters and leaves the race to the conflict. And there is no sequence that grows in commit
order per aggregate: the outbox is ordered by the event's time, which grows with every change of one
aggregate whatever the clocks say (``unit.later``).
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pymongo import AsyncMongoClient, ReadPreference
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    BulkWriteError,
    CollectionInvalid,
    ConfigurationError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern
from uuid_utils.compat import uuid7

from chassis.database import EMPTIED, Away, CommitUnknown, Conflict, DeadLetter, Deposed, Pending
from chassis.mongo_snapshot import MongoSnapshot
from chassis.telling import told
from schemas import Message

Document = dict[str, Any]

LEASE_SECONDS = 10
COMMIT_TRIES = 3
NAMESPACE_EXISTS = 48

INDEXES: Mapping[str, Sequence[tuple[str, int]]] = {
    "outbox": [("at", 1), ("_id", 1)],
    "dead_letters": [("consumer_group", 1), ("stream", 1)],
}


@dataclass
class Tx:
    """A transaction: pass ``session`` to every statement, or the statement is not part of it."""

    session: AsyncClientSession
    db: AsyncDatabase[Document]
    published: bool = False
    asked: list["Found"] = field(default_factory=list)

    def find(self, collection: str, query: Document, *fields: str) -> "Found":
        """Ask for documents, which are small. All that is asked for before any is looked at goes together."""
        # What costs is the way there and back.
        found = Found(self, collection, query, dict.fromkeys(fields, 1))
        self.asked.append(found)
        return found

    async def ask(self) -> None:
        """Get everything that was asked for."""
        asked, self.asked = self.asked, []
        if len(asked) == 1:
            asked[0].answer = await asked[0].by_itself()
            return
        # As one document's neighbours: there is no $unionWith in a transaction.
        stages = [found.stage(f"found{nth}") for nth, found in enumerate(asked)]
        cursor = await self.db.leases.aggregate([_ANY_ONE, *stages], session=self.session)
        if not (answers := await cursor.to_list()):
            # No fault of who asks: they wait until it is there.
            raise Away("the lease of the relay is missing: run the migrations")
        for nth, found in enumerate(asked):
            found.answer = answers[0][f"found{nth}"]


@dataclass
class Found:
    """Documents that were asked for."""

    tx: Tx
    collection: str
    query: Document
    fields: Document
    answer: Sequence[Document] | None = None

    async def documents(self) -> Sequence[Document]:
        """Look at them."""
        if self.answer is None:
            await self.tx.ask()
        assert self.answer is not None
        return self.answer

    async def by_itself(self) -> Sequence[Document]:
        """Ask for nothing else."""
        return await self.tx.db[self.collection].find(self.query, self.fields, session=self.tx.session).to_list()

    def stage(self, name: str) -> Document:
        """The stage that adds them under a name."""
        pipeline: list[Document] = [{"$match": self.query}, *([{"$project": self.fields}] if self.fields else [])]
        return {"$lookup": {"from": self.collection, "pipeline": pipeline, "as": name}}


_ANY_ONE: Document = {"$match": {"_id": "relay"}}
"""A document that is always there, to hang other collections' on."""


class Mongo:
    """A service's MongoDB database. ``url`` is ``mongodb://host:port/database?replicaSet=name``."""

    def __init__(self, url: str) -> None:
        self.published = asyncio.Event()
        self.client: AsyncMongoClient[Document] = AsyncMongoClient(
            url,
            uuidRepresentation="standard",
            tz_aware=True,
            appname="shopstream",
            serverSelectionTimeoutMS=5_000,
            connectTimeoutMS=5_000,
            socketTimeoutMS=30_000,
        )
        self.db = self.client.get_default_database()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """Commit at the end, roll back on an exception; raise ``Conflict``, ``Away``, ``CommitUnknown``."""
        with translated():
            async with self._session() as session:
                await session.start_transaction(
                    ReadConcern("snapshot"), WriteConcern("majority", j=True), ReadPreference.PRIMARY
                )
                tx = Tx(session, self.db)
                try:
                    yield tx
                except BaseException:
                    await _abort(session)
                    raise
                await self._commit(tx)

    async def _commit(self, tx: Tx) -> None:
        for attempt in range(1, COMMIT_TRIES + 1):
            try:
                await tx.session.commit_transaction()
                break
            except PyMongoError as error:
                # To commit again is safe: the server remembers the outcome.
                if not error.has_error_label("UnknownTransactionCommitResult"):
                    raise
                if attempt == COMMIT_TRIES:
                    raise CommitUnknown(_why(error)) from error
        if tx.published:
            self.published.set()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[MongoSnapshot]:
        """Everything as of one moment, for reads that take long."""
        with translated():
            async with self._session(snapshot=True) as session:
                yield MongoSnapshot(self.db, session)

    @asynccontextmanager
    async def _session(self, *, snapshot: bool = False) -> AsyncIterator[AsyncClientSession]:
        try:
            async with self.client.start_session(snapshot=snapshot) as session:
                yield session
        except ConfigurationError as error:
            # Whoever connects to a server that is not yet the primary, as with directConnection=true one can, has a
            # connection without sessions, and the driver would keep it when the server has become one.
            for server in self.client._topology._servers.values():
                await server.pool.reset_without_pause()
            raise Away("the server is not the primary of a replica set, or not yet") from error

    async def check(self) -> None:
        """Raise ``Away`` unless the database answers."""
        with translated():
            await self.client.admin.command("ping")

    async def publish(self, tx: Tx, messages: Sequence[Message]) -> None:
        """Put messages in the outbox."""
        if not messages:
            return
        await self.db.outbox.insert_many([_outbox_document(m) for m in messages], session=tx.session)
        tx.published = True

    def admit(self, tx: Tx, group: str, events: Collection[UUID], streams: Collection[str]) -> "MongoAdmission":
        """Enter events in the inbox, when the outcome is asked for. What is asked before that travels with it."""
        keys = {_inbox_key(group, event): event for event in events}
        of_streams = {"consumer_group": group, "stream": {"$in": list(streams)}}
        return MongoAdmission(
            tx,
            keys,
            tx.find("inbox", {"_id": {"$in": list(keys)}}, "_id"),
            tx.find("dead_letters", of_streams, "stream"),
        )

    async def bury(self, tx: Tx, letters: Sequence[DeadLetter]) -> None:
        """Keep dead letters, and publish a copy of each."""
        if not letters:
            return
        await self.db.dead_letters.insert_many(
            [{**letter.row(), "at": datetime.now(UTC)} for letter in letters], session=tx.session
        )
        await self.publish(tx, [letter.copy() for letter in letters])

    async def empty(self, tx: Tx, named: Collection[UUID]) -> None:
        """Empty the dead letters that name any of these ids; that they were set aside, and why, stays."""
        if not named:
            return
        ids = [str(one).encode() for one in named]
        # The server finds nothing in the middle of bytes.
        letters = self.db.dead_letters.find({"value": {"$ne": None}}, {"key": 1, "value": 1}, session=tx.session)
        emptied = [
            letter["_id"]
            async for letter in letters
            if any(one == letter["key"] or one in letter["value"] for one in ids)
        ]
        await self.db.dead_letters.update_many(
            {"_id": {"$in": emptied}}, {"$set": {"value": None, "detail": EMPTIED}}, session=tx.session
        )

    async def suspects(self, tx: Tx, group: str, events: Collection[UUID]) -> Mapping[UUID, int]:
        """How often each event was in hand when the process died, where it was; note the others once."""
        keys = {_inbox_key(group, event): event for event in events}
        known = await self.db.suspects.find({"_id": {"$in": list(keys)}}, session=tx.session).to_list()
        starts = {keys[document["_id"]]: int(document["starts"]) for document in known}
        fresh = [{"_id": key, "starts": 1} for key, event in keys.items() if event not in starts]
        if fresh:
            await self.db.suspects.insert_many(fresh, session=tx.session)
        return starts

    async def accuse(self, tx: Tx, group: str, events: Collection[UUID]) -> None:
        """Count one more handling of suspects."""
        keys = [_inbox_key(group, event) for event in events]
        await self.db.suspects.update_many({"_id": {"$in": keys}}, {"$inc": {"starts": 1}}, session=tx.session)

    async def acquit(self, tx: Tx, group: str, events: Collection[UUID]) -> None:
        """Forget suspects that were handled."""
        keys = [_inbox_key(group, event) for event in events]
        await self.db.suspects.delete_many({"_id": {"$in": keys}}, session=tx.session)

    @asynccontextmanager
    async def leading(self) -> AsyncIterator["MongoOutbox"]:
        """Wait until this process is the one relay of the service, then read its outbox."""
        owner = str(uuid7())
        while not await self.hold_lease(owner):
            await asyncio.sleep(1.0)
        try:
            yield MongoOutbox(self, owner)
        finally:
            with translated():
                given_up = {"$set": {"owner": None, "until": datetime.fromtimestamp(0, UTC)}}
                await self.db.leases.update_one({"_id": "relay", "owner": owner}, given_up)

    async def hold_lease(self, owner: str) -> bool:
        """Take or renew the lease, by the server's clock."""
        free = {"$or": [{"$eq": ["$owner", owner]}, {"$lt": ["$until", "$$NOW"]}]}
        until = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": LEASE_SECONDS}}
        with translated():
            held = await self.db.leases.find_one_and_update(
                {"_id": "relay", "$expr": free}, [{"$set": {"owner": owner, "until": until}}]
            )
        return held is not None

    async def make_collections(self, *names: str) -> None:
        """Make what is missing of the named collections, and of the chassis's own and their indexes."""
        with translated():
            known = await self.db.list_collection_names()
            for name in {"outbox", "inbox", "dead_letters", "suspects", "leases", *names} - set(known):
                try:
                    await self.db.create_collection(name)
                except CollectionInvalid:
                    continue
                except OperationFailure as error:
                    # Another process migrates at the same time.
                    if error.code != NAMESPACE_EXISTS:
                        raise
            for name, index in INDEXES.items():
                await self.db[name].create_index(index)
            nobodys = {"owner": None, "until": datetime.fromtimestamp(0, UTC)}
            await self.db.leases.update_one({"_id": "relay"}, {"$setOnInsert": nobodys}, upsert=True)

    async def close(self) -> None:
        """Let go of every connection."""
        await self.client.close()


@dataclass(frozen=True, slots=True)
class MongoAdmission:
    """Events on their way into the inbox."""

    tx: Tx
    keys: dict[str, UUID]
    known: Found
    letters: Found

    async def outcome(self) -> tuple[set[UUID], set[str]]:
        """Those that were not there yet, and which streams have a dead letter."""
        known = {document["_id"] for document in await self.known.documents()}
        fresh = {key: event for key, event in self.keys.items() if key not in known}
        if fresh:
            await self.tx.db.inbox.insert_many([{"_id": key} for key in fresh], session=self.tx.session)
        return set(fresh.values()), {letter["stream"] for letter in await self.letters.documents()}


class MongoOutbox:
    """The outbox in the hands of the one relay that leads."""

    def __init__(self, mongo: Mongo, owner: str) -> None:
        self._mongo, self._owner = mongo, owner
        self._renew_at = 0.0

    async def advance(self, done: Sequence[Pending], limit: int) -> Sequence[Pending]:
        """Delete rows that the broker has confirmed, and return the oldest of the others, in insertion order.

        Raise ``Deposed`` when no longer the leader.
        """
        await self._keep_lease()
        with translated():
            if done:
                await self._mongo.db.outbox.delete_many({"_id": {"$in": [row.position for row in done]}})
            cursor = self._mongo.db.outbox.find().sort([("at", 1), ("_id", 1)]).limit(limit)
            return [
                Pending(d["_id"], Message(d["event_id"], d["topic"], d["key"], d["headers"], d["value"]))
                for d in await cursor.to_list()
            ]

    async def _keep_lease(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._renew_at:
            return
        if not await self._mongo.hold_lease(self._owner):
            raise Deposed
        self._renew_at = now + LEASE_SECONDS / 4


def _outbox_document(message: Message) -> Document:
    return {
        "_id": uuid7(),
        "at": message.headers.get("ce_time", ""),
        "event_id": message.id,
        "topic": message.topic,
        "key": message.key,
        "headers": dict(message.headers),
        "value": message.value,
    }


def _inbox_key(group: str, event: UUID) -> str:
    return f"{group}/{event}"


async def _abort(session: AsyncClientSession) -> None:
    try:
        await session.abort_transaction()
    except PyMongoError:
        # The server aborts it by itself; the error that led here is the one to tell.
        return


@contextmanager
def translated() -> Iterator[None]:
    """Raise the driver's errors as ``Conflict`` and ``Away``; others are bugs, and pass."""
    try:
        yield
    except PyMongoError as error:
        if _is_conflict(error):
            raise Conflict(_why(error)) from error
        if isinstance(error, ConnectionFailure | ExecutionTimeout) or _is_passing(error):
            raise Away(_why(error)) from error
        raise


def _why(error: PyMongoError) -> str:
    """What the server said, without the documents that it quotes; what is said of the connection, as it is."""
    return str(error) if isinstance(error, ConnectionFailure) else told(error)


def _is_conflict(error: PyMongoError) -> bool:
    """A write conflict, or a key just taken (code 11000)."""
    if isinstance(error, BulkWriteError):
        return any(e.get("code") == 11000 for e in error.details.get("writeErrors", []))
    if isinstance(error, ConnectionFailure):
        return False
    return error.has_error_label("TransientTransactionError") or isinstance(error, DuplicateKeyError)


def _is_passing(error: PyMongoError) -> bool:
    """Shutting down (91), interrupted at shutdown (11600, 11602), not primary (10107, 13435, 189).

    Also a snapshot that the server has given up (239), or cannot take yet (246).
    """
    return isinstance(error, OperationFailure) and error.code in {91, 189, 239, 246, 10107, 11600, 11602, 13435}
