"""What revokes access tokens, one-time codes, and the audit log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "s023"
down_revision = "s021"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("accounts", sa.Column("epoch_changed_at", MOMENT))
    # What has lately revoked access tokens is read every few seconds.
    for table, column in (("accounts", "epoch_changed_at"), ("sessions", "ended_at")):
        where = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_{table}_{column}", table, [column], postgresql_where=where)
    op.create_index("ix_erasures_changed_at", "erasures", ["changed_at"])
    op.create_table(
        "totps",
        sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT),
        sa.Column("last_step", sa.BigInteger, nullable=False),
        sa.Column("recovery_hashes", JSONB, nullable=False),
    )
    op.create_table(
        "audit_log",
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", MOMENT, nullable=False, server_default=sa.func.now()),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("actor", sa.Uuid),
        sa.Column("role", sa.Text),
        sa.Column("subject", sa.Uuid),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("why", sa.Text),
    )
    for column in ("at", "actor", "subject"):
        op.create_index(f"ix_audit_log_{column}", "audit_log", [column])
