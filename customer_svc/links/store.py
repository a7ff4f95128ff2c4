"""The table of links."""

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.expiry import Expiry
from chassis.persistence.postgres.rows import Load, Row, columns, insert_rows, select_rows, update_rows
from chassis.persistence.unit_of_work import IdentityMap
from customer_svc.accounts.store import MOMENT, metadata
from customer_svc.links.domain import Link

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
)

_SELECT = select_rows(links, "token_hash")
_INSERT = insert_rows(links, *links.c.keys())
_UPDATE = update_rows(links, "token_hash", "used_at")
EXPIRY_SECONDS = 600.0


def links_to_load(loaded: IdentityMap[str, Link]) -> Load[str, Link]:
    """How to load and lock these links."""
    return loaded, _SELECT, lambda row: (row.token_hash, Link(**row._asdict()))


def links_to_save(changed: IdentityMap[str, Link]) -> list[tuple[str, list[Row]]]:
    """How to save the links that are new or were used."""
    return [
        (_INSERT, [columns(link, links.c.keys()) for link in changed.inserted]),
        (_UPDATE, [columns(link, ("token_hash", "used_at")) for link in changed.updated]),
    ]


def link_expiry(database: Postgres) -> Expiry:
    """Deletes expired links."""
    return Expiry(database, links, "expires_at < now()", seconds=EXPIRY_SECONDS)
