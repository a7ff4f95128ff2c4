"""The events in the outbox of a service, decoded."""

from typing import Any
from uuid import UUID

from chassis.persistence.database import Database
from schemas import Envelope, Event, decode


async def envelopes(database: Database[Any], key: UUID | str | None = None) -> list[Envelope[Event]]:
    """The envelopes in the outbox, oldest first; with ``key``, those of one aggregate."""
    async with database.leadership.lead() as outbox:
        rows = await outbox.advance([], 10_000)
    messages = [row.message for row in rows if key is None or row.message.key == str(key)]
    decoded = [decode([(n, v.encode()) for n, v in m.headers.items()], m.value) for m in messages]
    return [envelope for envelope in decoded if envelope]


async def events(database: Database[Any], key: UUID | str | None = None) -> list[Event]:
    """The events in the outbox, without their envelopes."""
    return [envelope.event for envelope in await envelopes(database, key)]
