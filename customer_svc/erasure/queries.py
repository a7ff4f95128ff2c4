"""Reading the progress of erasures."""

from uuid import UUID

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from customer_svc.erasure.domain import Erasure
from customer_svc.erasure.store import erasures
from customer_svc.errors import ErasureNotFound

LEDGER = (
    "SELECT 'account' AS kind, customer_id AS id, 'customer' AS role, version, changed_at FROM erasures",
    "SELECT 'erasure' AS kind, customer_id,"
    " orders_anonymised_at IS NOT NULL AND mails_anonymised_at IS NOT NULL AS done FROM erasures",
)
"""The erased accounts and the erasures, for the audit."""


async def erasure_by_id(database: Postgres, erasure_id: UUID) -> Erasure:
    """An erasure; raise ``ErasureNotFound``."""
    async with database.reading() as connection:
        row = (await connection.execute(sa.select(erasures).where(erasures.c.id == erasure_id))).one_or_none()
    if row is None:
        raise ErasureNotFound
    return Erasure(**row._asdict())
