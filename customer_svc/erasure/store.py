"""The table of erasures."""

from uuid import UUID

import sqlalchemy as sa

from chassis.persistence.postgres.rows import Load, Row, columns, insert_rows, select_rows, update_rows
from chassis.persistence.unit_of_work import IdentityMap
from customer_svc.accounts.store import MOMENT, metadata
from customer_svc.erasure.domain import Erasure

erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("customer_id", sa.Uuid, primary_key=True),
    sa.Column("id", sa.Uuid, nullable=False, unique=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("changed_at", MOMENT, nullable=False, index=True),
    sa.Column("orders_anonymised_at", MOMENT),
    sa.Column("mails_anonymised_at", MOMENT),
)

_ACKNOWLEDGED = ("orders_anonymised_at", "mails_anonymised_at")
_SELECT = select_rows(erasures, "customer_id")
_INSERT = insert_rows(erasures, *erasures.c.keys())
_UPDATE = update_rows(erasures, "customer_id", *_ACKNOWLEDGED)


def erasures_to_load(loaded: IdentityMap[UUID, Erasure]) -> Load[UUID, Erasure]:
    """How to load and lock these erasures."""
    return loaded, _SELECT, lambda row: (row.customer_id, Erasure(**row._asdict()))


def erasures_to_save(changed: IdentityMap[UUID, Erasure]) -> list[tuple[str, list[Row]]]:
    """How to save the erasures that are new or were acknowledged."""
    return [
        (_INSERT, [columns(erasure, erasures.c.keys()) for erasure in changed.inserted]),
        (_UPDATE, [columns(erasure, ("customer_id", *_ACKNOWLEDGED)) for erasure in changed.updated]),
    ]
