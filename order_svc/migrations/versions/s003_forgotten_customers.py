"""Customers who were erased."""

import sqlalchemy as sa
from alembic import op

revision = "s003_forgotten_customers"
down_revision = "s002_products_for_sale"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "forgotten_customers",
        sa.Column("customer_id", sa.Uuid, primary_key=True),
        sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=False),
    )
