"""Wake-ups of the relay through PostgreSQL: NOTIFY and LISTEN.

NOTIFY inside the transaction of a change would make all commits of the database queue for one lock; so it is sent
afterwards, as a statement of its own. Through a pooler that shares sessions, such as PgBouncer in transaction mode,
none arrives, and the relay polls.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from chassis.messaging.wake_ups import Send
from chassis.persistence.postgres.connection import Reading, driver_connection

_NOTIFY = "NOTIFY outbox"
_LISTEN = "LISTEN outbox"


class PostgresWakeUps:
    """The channel ``outbox`` of a service's database; ``reading`` opens a connection."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[Send]:
        """A connection over which wake-ups are sent."""
        async with self._reading() as connection:
            driver = await driver_connection(connection)

            async def send() -> None:
                await driver.execute(_NOTIFY)

            try:
                yield send
            finally:
                # Not back to the pool: it may be broken, or in the middle of a statement.
                await connection.invalidate()

    async def received(self) -> AsyncGenerator[None, None]:
        """Each wake-up from now on; raise ``DatabaseUnavailable`` when the connection is lost."""
        async with self._reading() as connection:
            try:
                driver = await driver_connection(connection)
                await driver.execute(_LISTEN)
                async for _ in driver.notifies():
                    yield
            finally:
                # In the pool it would go on listening.
                await connection.invalidate()
