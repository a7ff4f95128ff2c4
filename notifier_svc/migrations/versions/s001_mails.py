"""The mail ledger, and the replica of customers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "s001"
down_revision = None
branch_labels = ("notifier_svc",)
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "mails",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("order_id", sa.Uuid),
        sa.Column("context", JSONB, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("claim", sa.Uuid),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("doubts", sa.Integer, nullable=False),
        sa.Column("due_at", moment, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("changed_at", moment, nullable=False),
        sa.Column("lease_until", moment),
    )
    op.create_index("mails_due", "mails", ["due_at"], postgresql_where=sa.text("state = 'queued'"))
    op.create_index(
        "mails_in_hand", "mails", ["lease_until"], postgresql_where=sa.text("state IN ('claimed', 'sending')")
    )
    op.create_index("mails_of_customer", "mails", ["customer_id", "position"])
    op.create_table(
        "customers",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
