"""The table of suppressions."""

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction, array
from chassis.persistence.postgres.rows import Load, Row, columns, insert_rows, select_rows
from chassis.persistence.unit_of_work import IdentityMap
from notifier_svc.suppressions.domain import Suppression

metadata = sa.MetaData()

suppressions = sa.Table(
    "suppressions",
    metadata,
    sa.Column("email", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
    sa.Column("mail_id", sa.Uuid, nullable=False, unique=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("since", sa.DateTime(timezone=True), nullable=False),
)

_COLUMNS = ["email", "mail_id", "reason", "since"]
_SELECT = select_rows(suppressions, "email")
_INSERT = insert_rows(suppressions, *_COLUMNS)
_DELETE = "DELETE FROM suppressions WHERE email = ANY(CAST($1 AS text[]))"


def to_load(rows: IdentityMap[str, Suppression]) -> Load[str, Suppression]:
    """How the prefetched suppressions are loaded."""
    return rows, _SELECT, lambda row: (row.email, suppression_of(row))


def to_save(rows: IdentityMap[str, Suppression]) -> tuple[str, Sequence[Row]]:
    """How new suppressions are saved."""
    return _INSERT, [columns(one, _COLUMNS) for one in rows.inserted]


def delete(tx: PipelinedTransaction, emails: Collection[str]) -> None:
    """Delete the suppressions of these addresses."""
    if emails:
        tx.execute(_DELETE, array(emails))


def suppression_of(row: Any) -> Suppression:
    """A row as the domain sees it."""
    return Suppression(**{name: getattr(row, name) for name in _COLUMNS})
