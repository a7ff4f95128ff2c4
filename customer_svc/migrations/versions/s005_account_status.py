"""Deactivated accounts, and erasures."""

import sqlalchemy as sa
from alembic import op

revision = "s005"
down_revision = "s004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("accounts", sa.Column("deactivated_by", sa.Text))
    op.create_table(
        "erasures",
        sa.Column("customer_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("orders_at", MOMENT),
        sa.Column("mails_at", MOMENT),
    )
