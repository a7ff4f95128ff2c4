"""What staff read about customers, and ops about staff."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from chassis.email_address import normalised_email
from chassis.persistence.postgres.database import Postgres
from customer_svc.accounts.domain import Account, AccountStatus
from customer_svc.accounts.store import account_of, accounts
from customer_svc.errors import CustomerNotFound
from customer_svc.staff.domain import STAFF_ROLES, StaffRole
from customer_svc.totp.store import totps


@dataclass(frozen=True, slots=True)
class StaffAccount:
    """An account of staff or ops, as ops see it."""

    id: UUID
    email: str
    name: str
    role: StaffRole
    active: bool
    has_totp: bool
    """Whether a log-in needs a one-time code."""


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
        parts = ((accounts.c.email, normalised_email(text)), (accounts.c.email, text), (accounts.c.name, text))
        query = query.where(sa.or_(*(column.icontains(part, autoescape=True) for column, part in parts)))
    if status:
        active = accounts.c.deactivated_by.is_(None)
        query = query.where(active if status == "active" else ~active)
    if before:
        query = query.where(accounts.c.id < before)
    async with database.reading() as connection:
        return [account_of(row) for row in await connection.execute(query)]


async def staff_accounts(database: Postgres) -> list[StaffAccount]:
    """The accounts of staff and ops, oldest first."""
    codes = sa.select(totps.c.account_id).where(totps.c.confirmed_at.is_not(None)).scalar_subquery()
    query = sa.select(accounts, accounts.c.id.in_(codes).label("has_totp")).where(accounts.c.role.in_(STAFF_ROLES))
    async with database.reading() as connection:
        rows = (await connection.execute(query.order_by(accounts.c.id))).all()
    return [
        StaffAccount(row.id, row.email, row.name, row.role, row.deactivated_by is None, row.has_totp) for row in rows
    ]


async def ops_ids(database: Postgres) -> list[UUID]:
    """The ids of all accounts of ops."""
    async with database.reading() as connection:
        return list(await connection.scalars(sa.select(accounts.c.id).where(accounts.c.role == "ops")))
