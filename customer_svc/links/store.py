"""The table of links."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.expiry import Expiry
from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction
from chassis.persistence.postgres.rows import Load, Row, columns, insert_rows, select_rows, update_rows
from chassis.persistence.unit_of_work import IdentityMap
from customer_svc.accounts.store import MOMENT, metadata
from customer_svc.links.domain import Link, VoidedLinks

links = sa.Table(
    "links",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("expires_at", MOMENT, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("used_at", MOMENT),
    sa.Column("email", sa.Text),
    sa.Index("ix_links_email", "email", postgresql_where=sa.text("purpose = 'revert'")),
)

_SELECT = select_rows(links, "token_hash")
_INSERT = insert_rows(links, *links.c.keys())
_UPDATE = update_rows(links, "token_hash", "used_at")
_VOID = "DELETE FROM links WHERE account_id = CAST($1 AS uuid) AND purpose = $2 AND epoch >= CAST($3 AS integer)"
# Not locked: what counts is the account, which is.
_SELECT_FORMER_IDS = (
    "SELECT email, account_id FROM links WHERE purpose = 'revert' AND email = ANY(CAST($1 AS text[]))"
    " AND used_at IS NULL AND expires_at > now()"
)
EXPIRY_SECONDS = 600.0


def links_to_load(loaded: IdentityMap[str, Link]) -> Load[str, Link]:
    """How to load and lock these links."""
    return loaded, _SELECT, lambda row: (row.token_hash, Link(**row._asdict()))


def former_ids_to_load(ids: IdentityMap[str, UUID]) -> Load[str, UUID]:
    """How to load the ids of the accounts that can go back to these e-mail addresses."""
    return ids, _SELECT_FORMER_IDS, lambda row: (row.email, row.account_id)


def void_links(tx: PipelinedTransaction, voided: Sequence[VoidedLinks]) -> None:
    """Delete links that nobody may use any more."""
    for one in voided:
        tx.execute(_VOID, str(one.account_id), one.purpose, str(one.since_epoch))


def links_to_save(changed: IdentityMap[str, Link]) -> list[tuple[str, list[Row]]]:
    """How to save the links that are new or were used."""
    return [
        (_INSERT, [columns(link, links.c.keys()) for link in changed.inserted]),
        (_UPDATE, [columns(link, ("token_hash", "used_at")) for link in changed.updated]),
    ]


def link_expiry(database: Postgres) -> Expiry:
    """Deletes expired links."""
    return Expiry(database, links, "expires_at < now()", seconds=EXPIRY_SECONDS)
