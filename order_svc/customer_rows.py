"""Customers as order_svc knows them, in and out of their table."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction
from chassis.persistence.postgres.rows import Row, select_rows, upsert_rows, write_rows
from order_svc.customer import Customer
from schemas import Address

metadata = sa.MetaData()

customers = sa.Table(
    "customers",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("standing", sa.Text, nullable=False, server_default="active"),
    sa.Column("standing_version", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("shipping", JSONB),
    sa.Column("billing", JSONB),
    sa.Column("addresses_version", sa.Integer, nullable=False, server_default=sa.text("0")),
)

SELECT_CUSTOMERS = select_rows(customers, "id", lock=False)
SELECT_OWNERS = (
    f"SELECT orders.id AS order_id, {', '.join(f'customers.{column.name}' for column in customers.c)}"  # noqa: S608
    " FROM orders JOIN customers ON customers.id = orders.customer_id WHERE orders.id = ANY(CAST($1 AS uuid[]))"
)
_UPSERT_STANDING = upsert_rows(customers, "id", "standing", "standing_version", newer="standing_version")
_UPSERT_ADDRESSES = upsert_rows(
    customers, "id", "shipping", "billing", "addresses_version", newer="addresses_version"
)


def customer_of(row: Any) -> tuple[UUID, Customer]:
    """A row of ``customers`` as (key, value)."""
    shipping, billing = _address(row.shipping), _address(row.billing)
    standing = Customer(row.id, row.standing, row.standing_version, shipping, billing, row.addresses_version)
    return row.id, standing


def save_customers(tx: PipelinedTransaction, changed: Sequence[Customer]) -> None:
    """Write what is newer than what is there, each half for itself."""
    # Two statements: one cannot change a row twice.
    write_rows(tx, (_UPSERT_STANDING, [_standing_row(customer) for customer in changed]))
    write_rows(tx, (_UPSERT_ADDRESSES, [_addresses_row(customer) for customer in changed]))


def _standing_row(customer: Customer) -> Row:
    return {"id": customer.id, "standing": customer.standing, "standing_version": customer.standing_version}


def _addresses_row(customer: Customer) -> Row:
    return {
        "id": customer.id,
        "shipping": customer.shipping and customer.shipping.model_dump(),
        "billing": customer.billing and customer.billing.model_dump(),
        "addresses_version": customer.addresses_version,
    }


def _address(stored: Any) -> Address | None:
    return None if stored is None else Address.model_validate(stored)
