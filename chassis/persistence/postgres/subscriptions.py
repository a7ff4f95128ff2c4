"""The subscriptions in PostgreSQL."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.messaging.subscriptions import Starts
from chassis.persistence.postgres.connection import Reading
from chassis.persistence.postgres.tables import subscriptions


class PostgresSubscriptions:
    """The table ``subscriptions``; ``reading`` opens a connection."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    async def load(self, group: str) -> Starts:
        """The topics that the group has subscribed to."""
        query = sa.select(subscriptions).where(subscriptions.c.consumer_group == group)
        async with self._reading() as connection:
            rows = await connection.execute(query)
            return {row.topic: {int(number): offset for number, offset in row.starts.items()} for row in rows}

    async def add(self, group: str, starts: Starts) -> None:
        """Add topics; those that are known already stay as they are."""
        rows = [
            {"consumer_group": group, "topic": topic, "starts": {str(n): offset for n, offset in at.items()}}
            for topic, at in starts.items()
        ]
        if rows:
            async with self._reading() as connection:
                await connection.execute(insert(subscriptions).values(rows).on_conflict_do_nothing())
