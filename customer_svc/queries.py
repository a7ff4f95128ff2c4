"""What can be asked of customer_svc."""

from uuid import UUID

import sqlalchemy as sa

from chassis.errors import NotFound
from chassis.sql import Postgres
from customer_svc.domain import Account, normalised
from customer_svc.store import account_of, accounts

LEDGER = ("SELECT 'account' AS kind, id, role, version, changed_at FROM accounts",)
"""All accounts, for the audit. Nobody is told of those that are not customers'."""


async def account_by_email(database: Postgres, email: str) -> Account | None:
    """The account with this address, if there is one."""
    async with database.reading() as connection:
        found = await connection.execute(sa.select(accounts).where(accounts.c.email == normalised(email)))
        row = found.one_or_none()
    return account_of(row) if row else None


async def account_by_id(database: Postgres, account_id: UUID) -> Account:
    """The account with this id; raise ``NotFound``."""
    async with database.reading() as connection:
        row = (await connection.execute(sa.select(accounts).where(accounts.c.id == account_id))).one_or_none()
    if row is None:
        raise NotFound
    return account_of(row)
