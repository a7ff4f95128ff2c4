"""What accounts use of their limits: orders in a minute, pieces that are not shipped yet."""

import sqlalchemy as sa
from alembic import op

revision = "s064_account_usage"
down_revision = "s050_products_by_rest"
branch_labels = None
depends_on = None

# Per SKU the larger quantity of the order and of an amendment that waits, without what was shipped.
FILL = """
    INSERT INTO account_usage (customer_id, held_pieces)
    SELECT customer_id, sum(greatest(ordered - shipped, amended, 0)) FROM (
        SELECT orders.id, customer_id, line ->> 'sku',
            sum((line ->> 'quantity')::bigint) FILTER (WHERE kind = 'ordered') AS ordered,
            coalesce(sum((line ->> 'quantity')::bigint) FILTER (WHERE kind = 'shipped'), 0) AS shipped,
            sum((line ->> 'quantity')::bigint) FILTER (WHERE kind = 'amended') AS amended
        FROM orders, LATERAL (
            SELECT 'ordered', jsonb_array_elements(lines)
            UNION ALL SELECT 'shipped', jsonb_path_query(shipments, '$[*].lines[*]')
            UNION ALL SELECT 'amended', jsonb_path_query(amendment, '$.lines[*]')
        ) AS part(kind, line)
        WHERE state IN ('PENDING', 'CONFIRMED', 'SHIPPED')
        GROUP BY 1, 2, 3
    ) AS held GROUP BY customer_id
"""


def upgrade() -> None:
    op.create_table(
        "account_usage",
        sa.Column("customer_id", sa.Uuid, primary_key=True),
        sa.Column("held_pieces", sa.BigInteger, nullable=False),
        sa.Column("window_began_at", sa.DateTime(timezone=True)),
        sa.Column("orders", sa.Integer, nullable=False, server_default="0"),
    )
    op.execute(FILL)
