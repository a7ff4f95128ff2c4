"""Partly shipped orders whose remainder was cancelled: what that was."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "s077_cancelled_remainders"
down_revision = "s076_shortages_of_amendments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("cancelled_remainder", JSONB))
