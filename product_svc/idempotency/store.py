"""The collection ``idempotency_keys``."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from beanie import Document
from pymongo import ASCENDING, IndexModel, InsertOne

from chassis.persistence.mongo.rows import Load, write_rows
from chassis.persistence.mongo.transaction import MongoTransaction
from chassis.persistence.unit_of_work import IdentityMap
from product_svc.idempotency.domain import StoredResponse


class StoredResponseDocument(Document):
    """A stored response."""

    id: UUID  # type: ignore[assignment]
    fingerprint: str
    response: str
    until: datetime

    class Settings:
        """Beanie's settings."""

        name = "idempotency_keys"
        # The server deletes each by itself, some time within the minute after.
        indexes: ClassVar = [IndexModel([("until", ASCENDING)], expireAfterSeconds=0)]


def to_load(rows: IdentityMap[UUID, StoredResponse]) -> Load[UUID, StoredResponse]:
    """The prefetched responses, for ``load_rows``."""
    return rows, "idempotency_keys", _read


async def save(tx: MongoTransaction, rows: IdentityMap[UUID, StoredResponse]) -> None:
    """Write the new responses; none is ever changed."""
    await write_rows(tx, "idempotency_keys", [InsertOne(_document(one)) for one in rows.inserted])


def _read(document: Any) -> tuple[UUID, StoredResponse]:
    id_ = document["_id"]
    return id_, StoredResponse(id_, document["fingerprint"], document["response"], document["until"])


def _document(one: StoredResponse) -> dict[str, Any]:
    return {"_id": one.id, "fingerprint": one.fingerprint, "response": one.response, "until": one.until}
