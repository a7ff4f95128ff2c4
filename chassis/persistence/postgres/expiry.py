"""Deletes rows of a PostgreSQL table once they have expired, by the database's clock."""

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from chassis.runtime.periodic import run_periodically

BATCH = 1_000


class Expiry:
    """Deletes the rows of ``table`` for which the SQL condition ``expired`` holds, looking every ``seconds``.

    ``order_by`` lets an index find them; ``parameters`` are those of the condition. Several processes may do this at
    once: each skips the rows that another has locked.
    """

    def __init__(
        self,
        database: Postgres,
        table: sa.Table,
        expired: str,
        *,
        seconds: float,
        order_by: str | None = None,
        **parameters: float,
    ) -> None:
        self._database, self._table, self._seconds, self._parameters = database, table.name, seconds, parameters
        key = ", ".join(column.name for column in table.primary_key)
        order = f" ORDER BY {order_by}" if order_by else ""
        self._delete = sa.text(
            f"DELETE FROM {table.name} WHERE ({key}) IN (SELECT {key} FROM {table.name}"  # noqa: S608 - our own names
            f" WHERE {expired}{order} LIMIT :limit FOR UPDATE SKIP LOCKED)"
        )

    async def run(self) -> None:
        """Delete expired rows until cancelled."""
        await run_periodically(self.delete_expired, f"expiry of {self._table}", full=BATCH, seconds=self._seconds)

    async def delete_expired(self, limit: int | None = None) -> int:
        """Delete expired rows, at most ``limit`` (``BATCH``); return how many. Raise ``DatabaseUnavailable``."""
        parameters = {"limit": limit or BATCH, **self._parameters}
        async with self._database.reading() as connection:
            return (await connection.execute(self._delete, parameters)).rowcount
