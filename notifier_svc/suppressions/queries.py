"""Reads of the suppressions."""

from uuid import UUID

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.paging import read_page
from notifier_svc.errors import SuppressionNotFound
from notifier_svc.suppressions.domain import Suppression
from notifier_svc.suppressions.store import suppression_of, suppressions


async def list_suppressions(
    database: Postgres, before: int | None, limit: int
) -> tuple[list[Suppression], int | None]:
    """A page of suppressions, newest first, and the position at which the next page begins."""
    query = sa.select(suppressions)
    return await read_page(database, query, suppressions.c.position, before, limit, suppression_of)


async def get_suppression(database: Postgres, mail_id: UUID) -> Suppression:
    """The suppression that this mail caused; raise ``SuppressionNotFound``."""
    query = sa.select(suppressions).where(suppressions.c.mail_id == mail_id)
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise SuppressionNotFound
    return suppression_of(row)
