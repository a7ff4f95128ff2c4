"""A MongoDB transaction, with lookups that share a round trip."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from chassis.persistence.errors import DatabaseUnavailable

Document = dict[str, Any]


@dataclass
class MongoTransaction:
    """A transaction: pass ``session`` to every statement, or the statement is not part of it."""

    session: AsyncClientSession
    db: AsyncDatabase[Document]
    has_messages: bool = False
    """Whether messages were added to the outbox."""
    pending: list["Lookup"] = field(default_factory=list)

    def find(self, collection: str, query: Document, *fields: str) -> "Lookup":
        """Request documents, which have to be small. All requests before the first await share a round trip."""
        lookup = Lookup(self, collection, query, dict.fromkeys(fields, 1))
        self.pending.append(lookup)
        return lookup

    async def fetch(self) -> None:
        """Send all pending lookups."""
        pending, self.pending = self.pending, []
        if len(pending) == 1:
            pending[0].found = await pending[0].fetch_alone()
            return
        # As joins to a document that always exists: there is no $unionWith in a transaction.
        stages = [lookup.stage(f"found{nth}") for nth, lookup in enumerate(pending)]
        cursor = await self.db.leases.aggregate([_ANY_DOCUMENT, *stages], session=self.session)
        if not (results := await cursor.to_list()):
            # No fault of the caller: the work waits until the migrations have run.
            raise DatabaseUnavailable("the lease of the relay is missing: run the migrations")
        for nth, lookup in enumerate(pending):
            lookup.found = results[0][f"found{nth}"]


@dataclass
class Lookup:
    """Documents that were requested."""

    tx: MongoTransaction
    collection: str
    query: Document
    fields: Document
    found: Sequence[Document] | None = None

    async def documents(self) -> Sequence[Document]:
        """The documents; the first await sends all pending lookups."""
        if self.found is None:
            await self.tx.fetch()
        assert self.found is not None
        return self.found

    async def fetch_alone(self) -> Sequence[Document]:
        """Send this lookup alone."""
        return await self.tx.db[self.collection].find(self.query, self.fields, session=self.tx.session).to_list()

    def stage(self, name: str) -> Document:
        """The aggregation stage that adds the documents under a name."""
        pipeline: list[Document] = [{"$match": self.query}, *([{"$project": self.fields}] if self.fields else [])]
        return {"$lookup": {"from": self.collection, "pipeline": pipeline, "as": name}}


_ANY_DOCUMENT: Document = {"$match": {"_id": "relay"}}
"""Selects a document that always exists, to join other collections to."""
