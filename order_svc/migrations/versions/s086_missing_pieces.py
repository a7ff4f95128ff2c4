"""Pieces of orders that were reserved and were lost in the warehouse."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "s086_missing_pieces"
down_revision = "s085_names_of_customers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("missing", JSONB))
    # No row has missing pieces yet, so this reads the table once and sorts nothing; it keeps writers out meanwhile.
    op.create_index(
        *("orders_missing_pieces", "orders", ["id"]),
        postgresql_where=sa.text(
            "state IN ('CONFIRMED', 'SHIPPED') AND amendment IS NULL AND missing -> 'lines' <> '[]'"
        ),
    )
