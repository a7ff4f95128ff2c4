"""Finding the account that a link belongs to."""

from uuid import UUID

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from customer_svc.links.domain import hash_token
from customer_svc.links.store import links


async def account_id_of_link(database: Postgres, token: str) -> UUID | None:
    """The account of a mailed link, which never changes; None if there is no such link."""
    query = sa.select(links.c.account_id).where(links.c.token_hash == hash_token(token))
    async with database.reading() as connection:
        found = await connection.scalar(query)
    return found if isinstance(found, UUID) else None
