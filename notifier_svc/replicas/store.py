"""The table of customers."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.persistence.postgres.rows import Load, Row, columns, select_rows, upsert_rows
from chassis.persistence.unit_of_work import IdentityMap
from notifier_svc.replicas.domain import Customer

metadata = sa.MetaData()

customers = sa.Table(
    "customers",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("locale", sa.Text),
    sa.Column("order_updates", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("time_zone", sa.Text),
)

# Not locked: the upsert ignores older versions by itself.
_SELECT = select_rows(customers, "id", lock=False)
_UPSERT = upsert_rows(customers, *customers.c.keys(), newer="version")


def to_load(rows: IdentityMap[UUID, Customer]) -> Load[UUID, Customer]:
    """How the prefetched customers are loaded."""
    return rows, _SELECT, lambda row: (row.id, customer_of(row))


def to_save(rows: IdentityMap[UUID, Customer]) -> tuple[str, Sequence[Row]]:
    """How the changed customers are saved."""
    return _UPSERT, [columns(customer, customers.c.keys()) for customer in rows.changed]


def customer_of(row: Any) -> Customer:
    """A row as the domain sees it."""
    return Customer(**row._asdict())
