"""What is known of customers: whether they may order, and where their orders go by default."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "s010_customers"
down_revision = "s004_fulfilment"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customers",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("standing", sa.Text, nullable=False, server_default="active"),
        sa.Column("standing_version", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("shipping", JSONB),
        sa.Column("billing", JSONB),
        sa.Column("addresses_version", sa.Integer, nullable=False, server_default=sa.text("0")),
    )
    # Customers erased before stay erased. The last version of any account is below this one.
    op.execute(
        "INSERT INTO customers (id, standing, standing_version, addresses_version)"
        " SELECT customer_id, 'erased', 2147483647, 2147483647 FROM forgotten_customers"
    )
