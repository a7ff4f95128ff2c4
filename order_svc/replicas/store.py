"""The tables of the replicas, and how products and customers are loaded and saved."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction
from chassis.persistence.postgres.rows import Load, Row, columns, select_rows, upsert_rows, write_rows
from chassis.persistence.unit_of_work import IdentityMap
from order_svc.replicas.domain import Customer, Product
from schemas import Address, Money

metadata = sa.MetaData()

products = sa.Table(
    "products",
    metadata,
    sa.Column("sku", sa.Text, primary_key=True),
    sa.Column("product_id", sa.Uuid, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("for_sale", sa.Boolean, nullable=False, server_default=sa.true()),
    # A rebuild keeps what was read from the catalogue and is not on the topic yet.
    sa.Column("by_rest", sa.Boolean, nullable=False, server_default=sa.false()),
)

customers = sa.Table(
    "customers",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("account_status", sa.Text, nullable=False, server_default="active"),
    sa.Column("account_status_version", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("shipping", JSONB),
    sa.Column("billing", JSONB),
    sa.Column("addresses_version", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("name", sa.Text),
    sa.Column("name_version", sa.Integer, nullable=False, server_default=sa.text("0")),
)

# Replicas are read without a lock. An upsert that only ever writes a newer version makes up for that.
_SELECT_PRODUCTS = select_rows(products, "sku", lock=False)
_UPSERT_PRODUCTS = upsert_rows(products, *products.c.keys(), newer="version")
_SELECT_CUSTOMERS = select_rows(customers, "id", lock=False)
_SELECT_OWNERS = (
    f"SELECT orders.id AS order_id, {', '.join(f'customers.{column.name}' for column in customers.c)}"  # noqa: S608
    " FROM orders JOIN customers ON customers.id = orders.customer_id WHERE orders.id = ANY(CAST($1 AS uuid[]))"
)
_UPSERT_STATUS = upsert_rows(
    customers, "id", "account_status", "account_status_version", newer="account_status_version"
)
_UPSERT_ADDRESSES = upsert_rows(
    customers, "id", "shipping", "billing", "addresses_version", newer="addresses_version"
)
_UPSERT_NAME = upsert_rows(customers, "id", "name", "name_version", newer="name_version")


def load_products(rows: IdentityMap[str, Product]) -> Load[str, Product]:
    """What loads products."""
    return rows, _SELECT_PRODUCTS, lambda row: (row.sku, _product(row))


def save_products(rows: IdentityMap[str, Product]) -> tuple[str, Sequence[Row]]:
    """What saves products, where they are newer than the rows in the table."""
    return _UPSERT_PRODUCTS, [_product_row(product) for product in rows.changed]


def load_customers(rows: IdentityMap[UUID, Customer]) -> Load[UUID, Customer]:
    """What loads customers."""
    return rows, _SELECT_CUSTOMERS, lambda row: (row.id, _customer(row))


def load_owners(rows: IdentityMap[UUID, Customer]) -> Load[UUID, Customer]:
    """What loads the customers of orders, by the id of the order."""
    return rows, _SELECT_OWNERS, lambda row: (row.order_id, _customer(row))


def save_customers(tx: PipelinedTransaction, rows: IdentityMap[UUID, Customer]) -> None:
    """Write the status, the addresses and the name, each where it is newer than in the table."""
    # Several statements: one statement cannot change a row twice.
    write_rows(tx, (_UPSERT_STATUS, [_status_row(customer) for customer in rows.changed]))
    write_rows(tx, (_UPSERT_ADDRESSES, [_addresses_row(customer) for customer in rows.changed]))
    write_rows(tx, (_UPSERT_NAME, [columns(customer, ("id", "name", "name_version")) for customer in rows.changed]))


def _product(row: Any) -> Product:
    price = Money(amount=row.amount, currency=row.currency)
    return Product(row.sku, row.product_id, row.name, price, row.version, row.for_sale, row.by_rest)


def _product_row(product: Product) -> Row:
    return {
        "sku": product.sku,
        "product_id": product.product_id,
        "name": product.name,
        "amount": product.price.amount,
        "currency": product.price.currency,
        "version": product.version,
        "for_sale": product.for_sale,
        "by_rest": product.by_rest,
    }


def _customer(row: Any) -> Customer:
    return Customer(
        row.id,
        row.account_status,
        row.account_status_version,
        _address(row.shipping),
        _address(row.billing),
        row.addresses_version,
        row.name,
        row.name_version,
    )


def _status_row(customer: Customer) -> Row:
    return {
        "id": customer.id,
        "account_status": customer.account_status,
        "account_status_version": customer.account_status_version,
    }


def _addresses_row(customer: Customer) -> Row:
    return {
        "id": customer.id,
        "shipping": customer.shipping and customer.shipping.model_dump(),
        "billing": customer.billing and customer.billing.model_dump(),
        "addresses_version": customer.addresses_version,
    }


def _address(stored: Any) -> Address | None:
    return None if stored is None else Address.model_validate(stored)
