"""Reading sessions."""

from uuid import UUID

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from customer_svc.links.domain import hash_token
from customer_svc.sessions.domain import Session, TokenOwner
from customer_svc.sessions.store import refresh_tokens, sessions


async def owner_of_token(database: Postgres, token: str) -> TokenOwner | None:
    """The session and account that a refresh token belongs to; None if there is no such token."""
    query = sa.select(refresh_tokens).where(refresh_tokens.c.token_hash == hash_token(token))
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    return TokenOwner(row.session_id, row.account_id, row.token_hash) if row else None


async def sessions_of_account(database: Postgres, account_id: UUID) -> list[Session]:
    """The sessions of an account that are still stored, oldest first."""
    query = sa.select(sessions).where(sessions.c.account_id == account_id).order_by(sessions.c.id)
    async with database.reading() as connection:
        return [Session(**row._asdict()) for row in await connection.execute(query)]
