"""Reading links."""

from uuid import UUID

import sqlalchemy as sa

from chassis.link_tokens import Purpose
from chassis.persistence.postgres.database import Postgres
from customer_svc.accounts.store import accounts
from customer_svc.links.domain import EPOCH_BOUND, Link, hash_token
from customer_svc.links.store import links


async def usable_link(database: Postgres, token: str, purpose: Purpose) -> Link | None:
    """A mailed link that can be used now, for this purpose; None if there is no such link.

    It is read before a password is hashed, which is what an attacker without a link must not get. What counts is
    the link when it is used, in a transaction.
    """
    query = sa.select(links).where(
        links.c.token_hash == hash_token(token),
        links.c.purpose == purpose,
        links.c.used_at.is_(None),
        links.c.expires_at > sa.func.now(),
    )
    if purpose in EPOCH_BOUND:
        query = query.join(accounts, accounts.c.id == links.c.account_id).where(links.c.epoch == accounts.c.epoch)
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    return Link(**row._asdict()) if row else None


async def links_of_account(database: Postgres, account_id: UUID) -> list[Link]:
    """The links of an account that are still stored, oldest first."""
    query = sa.select(links).where(links.c.account_id == account_id).order_by(links.c.id)
    async with database.reading() as connection:
        return [Link(**row._asdict()) for row in await connection.execute(query)]
