"""The table of the audit log. It has a ``metadata`` of its own: no other table is needed to read it."""

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.expiry import Expiry

metadata = sa.MetaData()
MOMENT = sa.DateTime(timezone=True)

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("at", MOMENT, nullable=False, server_default=sa.func.now(), index=True),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("actor", sa.Uuid, index=True),
    sa.Column("role", sa.Text),
    # Not a foreign key: entries outlive an erased account.
    sa.Column("subject", sa.Uuid, index=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("request_id", sa.Text, nullable=False),
    sa.Column("why", sa.Text),
)
EXPIRY_SECONDS = 600.0


def audit_log_expiry(database: Postgres, retention: float) -> Expiry:
    """Deletes entries that are older than ``retention``, in seconds."""
    expired = "at < now() - make_interval(secs => :retention)"
    return Expiry(database, audit_log, expired, seconds=EXPIRY_SECONDS, order_by="at", retention=retention)
