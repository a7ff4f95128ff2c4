"""A service's MongoDB database: transactions, and the parts that messaging needs of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pymongo import AsyncMongoClient, ReadPreference
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import ConfigurationError, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from chassis.messaging.outbox import OutboxBacklog
from chassis.persistence.errors import CommitOutcomeUnknown, DatabaseUnavailable
from chassis.persistence.mongo.connection import reason, reset_pools, translated
from chassis.persistence.mongo.dead_letters import MongoDeadLetters
from chassis.persistence.mongo.inbox import MongoAttempts, MongoInbox
from chassis.persistence.mongo.jobs import MongoJobs
from chassis.persistence.mongo.outbox import MongoLeadership, MongoOutbox
from chassis.persistence.mongo.pool_use import PoolUse
from chassis.persistence.mongo.snapshot import MongoSnapshot
from chassis.persistence.mongo.subscriptions import MongoSubscriptions
from chassis.persistence.mongo.transaction import Document, MongoTransaction
from chassis.persistence.mongo.wake_ups import MongoWakeUps

COMMIT_TRIES = 3


class Mongo:
    """A service's MongoDB database. ``url`` is ``mongodb://host:port/database?replicaSet=name``."""

    def __init__(self, url: str) -> None:
        self.client: AsyncMongoClient[Document] = AsyncMongoClient(
            url,
            uuidRepresentation="standard",
            tz_aware=True,
            appname="shopstream",
            serverSelectionTimeoutMS=5_000,
            connectTimeoutMS=5_000,
            socketTimeoutMS=30_000,
            event_listeners=[PoolUse()],
        )
        self.db = self.client.get_default_database()
        self.outbox = MongoOutbox(self.db)
        self.inbox = MongoInbox(self.db)
        self.attempts = MongoAttempts(self.db)
        self.subscriptions = MongoSubscriptions(self.db)
        self.dead_letters = MongoDeadLetters(self.db, self.outbox)
        self.jobs = MongoJobs(self.db)
        self.leadership = MongoLeadership(self.db)
        self.wake_ups = MongoWakeUps(self.db)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MongoTransaction]:
        """Commit at the end, roll back on an exception.

        Raise ``ConcurrentUpdate``, ``DatabaseUnavailable``, ``CommitOutcomeUnknown``.
        """
        with translated():
            async with self._session() as session:
                await session.start_transaction(
                    ReadConcern("snapshot"), WriteConcern("majority", j=True), ReadPreference.PRIMARY
                )
                tx = MongoTransaction(session, self.db)
                try:
                    yield tx
                except BaseException:
                    await _abort(session)
                    raise
                await self._commit(tx)

    async def _commit(self, tx: MongoTransaction) -> None:
        for attempt in range(1, COMMIT_TRIES + 1):
            try:
                await tx.session.commit_transaction()
                break
            except PyMongoError as error:
                # To commit again is safe: the server remembers the outcome.
                if not error.has_error_label("UnknownTransactionCommitResult"):
                    raise
                if attempt == COMMIT_TRIES:
                    raise CommitOutcomeUnknown(reason(error)) from error
        if tx.has_messages:
            self.outbox.added.set()

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
            await reset_pools(self.client)
            raise DatabaseUnavailable("the server is not the primary of a replica set, or not yet") from error

    async def outbox_backlog(self) -> OutboxBacklog:
        """Return what is not published yet; raise ``DatabaseUnavailable``."""
        with translated():
            return await self.outbox.backlog()

    async def check(self) -> None:
        """Raise ``DatabaseUnavailable`` unless the database answers."""
        with translated():
            await self.client.admin.command("ping")

    async def close(self) -> None:
        """Close every connection."""
        await self.client.close()


async def _abort(session: AsyncClientSession) -> None:
    try:
        await session.abort_transaction()
    except PyMongoError:
        # The server aborts it by itself; the error that led here is the one to raise.
        return
