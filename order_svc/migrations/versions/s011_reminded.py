"""Whether stock was asked for again since it is waited for."""

import sqlalchemy as sa
from alembic import op

revision = "s011_reminded"
down_revision = "s010_customers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("reminded", sa.Boolean, nullable=False, server_default=sa.false()))
