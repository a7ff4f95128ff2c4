"""The table of second factors."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction, array
from chassis.persistence.postgres.rows import Load, Row, columns, insert_rows, select_rows, update_rows
from chassis.persistence.unit_of_work import IdentityMap
from customer_svc.accounts.store import MOMENT, metadata
from customer_svc.totp.domain import Totp

totps = sa.Table(
    "totps",
    metadata,
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("created_at", MOMENT, nullable=False),
    sa.Column("confirmed_at", MOMENT),
    sa.Column("last_step", sa.BigInteger, nullable=False),
    sa.Column("recovery_hashes", JSONB, nullable=False),
)

_ALL = tuple(totps.c.keys())
_SELECT = select_rows(totps, "account_id")
_INSERT = insert_rows(totps, *_ALL)
_UPDATE = update_rows(totps, *_ALL)
_DELETE = "DELETE FROM totps WHERE account_id = ANY(CAST($1 AS uuid[]))"


def totps_to_load(loaded: IdentityMap[UUID, Totp]) -> Load[UUID, Totp]:
    """How to load and lock the second factors of these accounts."""
    return loaded, _SELECT, lambda row: (row.account_id, totp_of(row._asdict()))


def delete_totps(tx: PipelinedTransaction, changed: IdentityMap[UUID, Totp]) -> None:
    """Delete the second factors that were removed."""
    if deleted := changed.deleted:
        tx.execute(_DELETE, array(deleted))


def totps_to_save(changed: IdentityMap[UUID, Totp]) -> list[tuple[str, list[Row]]]:
    """How to save the second factors that are new or changed."""
    return [
        (_INSERT, [columns(totp, _ALL) for totp in changed.inserted]),
        (_UPDATE, [columns(totp, _ALL) for totp in changed.updated]),
    ]


def totp_of(row: dict[str, object]) -> Totp:
    """The second factor in a row."""
    hashes = row["recovery_hashes"]
    assert isinstance(hashes, list)
    return Totp(**{**row, "recovery_hashes": tuple(hashes)})  # type: ignore[arg-type]
