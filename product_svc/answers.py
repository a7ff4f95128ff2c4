"""What was answered to requests with an Idempotency-Key, and how it gets in and out of its collection."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from beanie import Document
from pymongo import ASCENDING, IndexModel, InsertOne

from chassis.persistence.unit_of_work import IdentityMap


@dataclass(frozen=True, slots=True)
class Answered:
    """The first answer to a request; ``id`` stands for user, route and key."""

    id: UUID
    fingerprint: str
    answer: str
    until: datetime
    """When it is forgotten."""


class AnsweredDocument(Document):
    """An answer."""

    id: UUID  # type: ignore[assignment]
    fingerprint: str
    answer: str
    until: datetime

    class Settings:
        """Beanie's settings."""

        name = "idempotency_keys"
        # The server removes each by itself, some time within the minute after.
        indexes: ClassVar = [IndexModel([("until", ASCENDING)], expireAfterSeconds=0)]


def answered_of(document: Any) -> tuple[UUID, Answered]:
    """(id, answer) of a document of ``idempotency_keys``."""
    return document["_id"], Answered(document["_id"], document["fingerprint"], document["answer"], document["until"])


def answered_writes(rows: IdentityMap[UUID, Answered]) -> list[Any]:
    """What to write of the answers of a transaction."""
    return [
        InsertOne({"_id": one.id, "fingerprint": one.fingerprint, "answer": one.answer, "until": one.until})
        for one in rows.inserted
    ]
