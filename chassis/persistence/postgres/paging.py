"""Pages of a table in PostgreSQL, newest row first."""

from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres

V = TypeVar("V")


async def read_page(
    database: Postgres,
    query: sa.Select[Any],
    position: sa.Column[int],
    before: int | None,
    limit: int,
    read: Callable[[Any], V],
) -> tuple[list[V], int | None]:
    """The rows of a query with a ``position`` below ``before``, and the cursor of the next page, if there is one.

    Rows that are inserted meanwhile do not move the pages: ``position`` only grows.
    """
    query = query.order_by(position.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(position < before)
    async with database.reading() as connection:
        rows = (await connection.execute(query)).all()
    return [read(row) for row in rows[:limit]], rows[limit - 1].position if len(rows) > limit else None
