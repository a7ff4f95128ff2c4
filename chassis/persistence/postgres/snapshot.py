"""PostgreSQL as of one moment, for reads that take long: one read-only transaction, fetched in chunks.

Every fetch is a statement of its own, so none of them comes near the time a statement may take; how long
the whole may take depends on the reader.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

CHUNK = 1000

# It holds no row lock that others wait for, so it may idle for as long as a slow reader is tolerated.
BEGIN = sa.text("SET LOCAL idle_in_transaction_session_timeout = '60s'")
_WAITING = sa.text("SELECT count(*) FROM outbox")
_DEAD = sa.text("SELECT state, count(*) AS letters FROM dead_letters GROUP BY state")


class PostgresSnapshot:
    """The database as of one moment. A query is a SELECT."""

    outbox: ClassVar = (
        "SELECT 'waiting' AS kind, event_id, topic, key,"
        " headers->>'ce_aggregateversion' AS version, headers->>'ce_time' AS at FROM outbox ORDER BY position"
    )
    inbox: ClassVar = "SELECT 'handled' AS kind, consumer_group AS \"group\", event_id FROM inbox"
    dead_letters: ClassVar = (
        'SELECT \'dead_letter\' AS kind, event_id, consumer_group AS "group", state, topic, partition, "offset",'
        " key, reason, detail, fingerprint, at FROM dead_letters ORDER BY position"
    )

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def outbox_size(self) -> int:
        """How many events are in the outbox."""
        return int(await self._connection.scalar(_WAITING) or 0)

    async def dead_letters_by_state(self) -> Mapping[str, int]:
        """How many dead letters there are, by state."""
        return {row.state: row.letters for row in await self._connection.execute(_DEAD)}

    async def rows(self, query: str) -> AsyncGenerator[Sequence[Mapping[str, Any]], None]:
        """The rows of a query, in chunks."""
        result = await self._connection.stream(sa.text(query), execution_options={"yield_per": CHUNK})
        names = list(result.keys())
        try:
            async for rows in result.partitions(CHUNK):
                yield [dict(zip(names, row, strict=True)) for row in rows]
        finally:
            # Not by ``async with``, which leaves the cursor open when this generator is closed early.
            await result.close()
