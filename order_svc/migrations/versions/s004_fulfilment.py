"""Orders that are amended, shipped and returned; what waits for an answer, by when it was asked for last."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "s004_fulfilment"
down_revision = "s003_forgotten_customers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("billing_address", JSONB),
        sa.Column("notes", sa.Text),
        sa.Column("note", sa.Text),
        sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
        sa.Column("last_revision", sa.Integer, nullable=False, server_default="1"),
        sa.Column("asked", sa.Integer, nullable=False, server_default="1"),
        sa.Column("amendment", JSONB),
        sa.Column("shipments", JSONB, nullable=False, server_default="[]"),
        sa.Column("returns", JSONB, nullable=False, server_default="[]"),
        sa.Column("asked_at", sa.DateTime(timezone=True)),
    ):
        op.add_column("orders", column)
    op.create_index(
        "orders_waiting",
        "orders",
        [sa.text("coalesce(asked_at, stored_at)")],
        postgresql_where=sa.text("state = 'PENDING' OR amendment IS NOT NULL"),
    )
    op.drop_index("orders_pending", "orders")
