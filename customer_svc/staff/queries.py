"""What staff read about customers."""

from uuid import UUID

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from customer_svc.accounts.domain import Account, AccountStatus
from customer_svc.accounts.store import account_of, accounts
from customer_svc.errors import CustomerNotFound


async def customer_by_id(database: Postgres, customer_id: UUID) -> Account:
    """A customer; raise ``CustomerNotFound``, also for a member of staff."""
    query = sa.select(accounts).where(accounts.c.id == customer_id, accounts.c.role == "customer")
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise CustomerNotFound
    return account_of(row)


async def find_customers(
    database: Postgres, text: str | None, status: AccountStatus | None, before: UUID | None, limit: int
) -> list[Account]:
    """Customers, newest first, older than ``before``; ``text`` is a part of the e-mail address or the name."""
    query = sa.select(accounts).where(accounts.c.role == "customer").order_by(accounts.c.id.desc()).limit(limit)
    if text:
        columns = (accounts.c.email, accounts.c.name)
        query = query.where(sa.or_(*(column.icontains(text, autoescape=True) for column in columns)))
    if status:
        active = accounts.c.deactivated_by.is_(None)
        query = query.where(active if status == "active" else ~active)
    if before:
        query = query.where(accounts.c.id < before)
    async with database.reading() as connection:
        return [account_of(row) for row in await connection.execute(query)]
