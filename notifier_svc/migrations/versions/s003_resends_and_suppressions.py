"""Resent mails, suppressed addresses, and mails that customers can switch off."""

import sqlalchemy as sa
from alembic import op

revision = "s003"
down_revision = "s002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mails", sa.Column("recipient", sa.Text))
    op.add_column("mails", sa.Column("resend_of", sa.Uuid))
    op.create_index(
        *("mails_that_did_not_arrive", "mails", ["position"]),
        postgresql_where=sa.text("state IN ('failed', 'suppressed')"),
    )
    op.add_column("customers", sa.Column("order_updates", sa.Boolean, nullable=False, server_default=sa.true()))
    op.create_table(
        "suppressions",
        sa.Column("email", sa.Text, primary_key=True),
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
        sa.Column("mail_id", sa.Uuid, nullable=False, unique=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    )
