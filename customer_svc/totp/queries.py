"""Reading second factors."""

from uuid import UUID

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from customer_svc.totp.store import totps


async def has_totp(database: Postgres, account_id: UUID) -> bool:
    """Whether an account is protected by one-time codes."""
    query = sa.select(sa.exists().where(totps.c.account_id == account_id, totps.c.confirmed_at.is_not(None)))
    async with database.reading() as connection:
        return bool(await connection.scalar(query))
