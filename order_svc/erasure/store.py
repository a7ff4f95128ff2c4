"""The table of erased customers, and the statements that anonymise what belongs to them."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from chassis.persistence.postgres.locks import ERASE_ALONE, HOLD_OFF_ERASURES
from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction, array
from chassis.persistence.postgres.rows import Load, Row, columns, insert_rows, select_rows
from chassis.persistence.unit_of_work import IdentityMap
from order_svc.erasure.domain import ErasedCustomer
from order_svc.orders.domain import TRANSITIONS
from order_svc.orders.parts import ANONYMOUS_TRACKING_NUMBER

metadata = sa.MetaData()

erased_customers = sa.Table(
    "erased_customers",
    metadata,
    sa.Column("customer_id", sa.Uuid, primary_key=True),
    sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
)

_SELECT = select_rows(erased_customers, "customer_id", lock=False)
_INSERT = insert_rows(erased_customers, *erased_customers.c.keys())

# The country stays: what was sold to which country is not personal data, and taxes need it.
_ANONYMOUS = """'{"name": "-", "street": "-", "city": "-", "postal_code": "-",
    "company": null, "line2": null, "region": null, "phone": null}'::jsonb"""
_ANONYMOUS_RESPONSE = f"""{_ANONYMOUS} || '{{"postal_code": null}}'"""
_OF_CUSTOMERS = "customer_id = ANY(CAST($1 AS uuid[]))"

# In the order in which other transactions lock some of them.
_LOCK_ORDERS = f"SELECT id, state FROM orders WHERE {_OF_CUSTOMERS} ORDER BY id FOR UPDATE"  # noqa: S608
_ANONYMISE_RESPONSES = f"""
    UPDATE idempotency_keys SET response = (response::jsonb || jsonb_build_object(
        'notes', NULL,
        'shipping_address', (response::jsonb -> 'shipping_address') || {_ANONYMOUS_RESPONSE},
        'billing_address', nullif(response::jsonb -> 'billing_address', 'null') || {_ANONYMOUS_RESPONSE}))::text
    WHERE order_id IN (SELECT id FROM orders WHERE {_OF_CUSTOMERS})
"""  # noqa: S608
_ANONYMISE_TIMELINES = f"""
    UPDATE timeline SET detail = detail || '{{"tracking_number": "{ANONYMOUS_TRACKING_NUMBER}"}}'
    WHERE detail ? 'tracking_number' AND order_id IN (SELECT id FROM orders WHERE {_OF_CUSTOMERS})
"""  # noqa: S608
_ANONYMISE_ORDERS = f"""
    UPDATE orders SET
        shipping_address = shipping_address || {_ANONYMOUS},
        billing_address = billing_address || {_ANONYMOUS},
        customer_notes = NULL,
        cancellation_note = NULL,
        amendment = amendment || jsonb_build_object(
            'shipping_address', (amendment -> 'shipping_address') || {_ANONYMOUS},
            'billing_address', nullif(amendment -> 'billing_address', 'null') || {_ANONYMOUS}),
        shipments = (
            SELECT coalesce(
                jsonb_agg(one || '{{"tracking_number": "{ANONYMOUS_TRACKING_NUMBER}"}}' ORDER BY nth), '[]')
            FROM jsonb_array_elements(shipments) WITH ORDINALITY AS shipment(one, nth)),
        returns = (
            SELECT coalesce(jsonb_agg(one || '{{"reason": null}}' ORDER BY nth), '[]')
            FROM jsonb_array_elements(returns) WITH ORDINALITY AS returned(one, nth)),
        return_requests = (
            SELECT coalesce(jsonb_agg(one || '{{"reason": null, "note": null}}' ORDER BY nth), '[]')
            FROM jsonb_array_elements(return_requests) WITH ORDINALITY AS requested(one, nth)),
        cancelled_remainder = cancelled_remainder || '{{"note": null}}'
    WHERE {_OF_CUSTOMERS}
"""  # noqa: S608


def load_erased_customers(rows: IdentityMap[UUID, ErasedCustomer]) -> Load[UUID, ErasedCustomer]:
    """What loads erased customers."""
    return rows, _SELECT, lambda row: (row.customer_id, ErasedCustomer(row.customer_id, row.erased_at))


def save_erased_customers(rows: IdentityMap[UUID, ErasedCustomer]) -> tuple[str, Sequence[Row]]:
    """What saves erased customers."""
    return _INSERT, [columns(erased, erased_customers.c.keys()) for erased in rows.inserted]


async def lock_for_erasure(tx: PipelinedTransaction, customer_ids: Sequence[UUID]) -> list[UUID]:
    """Keep all other writes about customers out, and lock the orders of these; return those with something to cancel,
    or perhaps with something left to cancel."""
    tx.execute(ERASE_ALONE)
    locked = await tx.execute(_LOCK_ORDERS, array(customer_ids)).rows()
    return [row.id for row in locked if {"cancel", "cancel_remainder"} & TRANSITIONS[row.state].keys()]


def hold_off_erasures(tx: PipelinedTransaction) -> None:
    """Keep erasures out until the end of the transaction, which writes about customers."""
    tx.execute(HOLD_OFF_ERASURES)


def anonymise(tx: PipelinedTransaction, rows: IdentityMap[UUID, ErasedCustomer]) -> None:
    """Remove the personal data of newly erased customers from their orders, timelines and stored responses."""
    if rows.inserted:
        customer_ids = array([erased.customer_id for erased in rows.inserted])
        tx.execute(_ANONYMISE_RESPONSES, customer_ids)
        tx.execute(_ANONYMISE_TIMELINES, customer_ids)
        tx.execute(_ANONYMISE_ORDERS, customer_ids)
