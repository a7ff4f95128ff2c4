"""Identity maps in and out of collections, any number of documents at once. The counterpart: ``postgres/rows.py``."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from chassis.persistence.errors import ConcurrentUpdate
from chassis.persistence.mongo.transaction import MongoTransaction
from chassis.persistence.unit_of_work import IdentityMap

K = TypeVar("K")
V = TypeVar("V")

Load = tuple[IdentityMap[K, V], str, Callable[[Any], tuple[K, V]]]
"""Rows, the collection of their documents, and what makes (key, value) of a document; the key is its ``_id``."""


async def load_rows(tx: MongoTransaction, *loads: Load[Any, Any]) -> None:
    """Load the prefetched rows, all kinds in one round trip; several kinds at once have to be small documents."""
    sent = [
        (rows, read, tx.find(collection, {"_id": {"$in": missing}}))
        for rows, collection, read in loads
        if (missing := rows.missing)
    ]
    for rows, read, lookup in sent:
        rows.fill(dict([read(document) for document in await lookup.documents()]))


async def write_rows(tx: MongoTransaction, collection: str, writes: Sequence[Any]) -> None:
    """Write documents with one statement; raise ``ConcurrentUpdate`` where one is not as it was read."""
    if not writes:
        return
    result = await tx.db[collection].bulk_write(writes, session=tx.session)
    done = result.inserted_count + result.matched_count + result.upserted_count + result.deleted_count
    if done != len(writes):
        raise ConcurrentUpdate(f"{collection}: not as it was read")
