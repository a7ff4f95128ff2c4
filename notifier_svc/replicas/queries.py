"""Reads of the customers."""

from uuid import UUID

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from notifier_svc.replicas.domain import Customer
from notifier_svc.replicas.store import customer_of, customers


async def find_customer(database: Postgres, customer_id: UUID) -> Customer | None:
    """The replica of a customer; None while no event about them has arrived."""
    query = sa.select(customers).where(customers.c.id == customer_id)
    async with database.reading() as connection:
        row = (await connection.execute(query)).one_or_none()
    return customer_of(row) if row else None
