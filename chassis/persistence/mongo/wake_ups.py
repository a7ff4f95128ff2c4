"""Wake-ups of the relay through MongoDB: a small capped collection, which the relay reads as it grows.

(A change stream on the outbox would cost the server something for each event, also while the relay is busy anyway.)
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from pymongo import CursorType, WriteConcern
from pymongo.asynchronous.database import AsyncDatabase

from chassis.messaging.wake_ups import Send
from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.transaction import Document

COLLECTION = "wake_ups"
CAPPED_BYTES = 64 * 1024
AWAIT_MILLISECONDS = 5_000
"""How long the server waits for the next before it answers that there is none."""
EMPTY_SECONDS = 1.0
"""How soon to look again where there is nothing to wait behind yet."""


class MongoWakeUps:
    """The capped collection ``wake_ups`` of a service's database."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        # Without waiting for the server: a wake-up that is lost is only a hint.
        self._sent = db.get_collection(COLLECTION, write_concern=WriteConcern(w=0))
        self._read = db.get_collection(COLLECTION)

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[Send]:
        """What sends wake-ups."""
        yield self._send

    async def _send(self) -> None:
        with translated():
            await self._sent.insert_one({})

    async def received(self) -> AsyncGenerator[None, None]:
        """Each wake-up from now on, and those that are kept; raise ``DatabaseUnavailable``."""
        with translated():
            while True:
                found = self._read.find({}, {"_id": 1}, cursor_type=CursorType.TAILABLE_AWAIT)
                # Not closed by us: cancelled, we would wait for the server once more. The client closes it by itself.
                cursor = found.max_await_time_ms(AWAIT_MILLISECONDS)
                while cursor.alive:
                    async for _ in cursor:
                        yield
                # Nothing was ever sent, or what was read last is gone.
                await asyncio.sleep(EMPTY_SECONDS)
