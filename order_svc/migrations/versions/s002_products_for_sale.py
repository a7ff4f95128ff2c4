"""Which products of the replica can still be ordered."""

import sqlalchemy as sa
from alembic import op

revision = "s002_products_for_sale"
down_revision = "s001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("products", sa.Column("for_sale", sa.Boolean, nullable=False, server_default=sa.true()))
