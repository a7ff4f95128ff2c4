"""What customers want to return of their orders."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "s078_return_requests"
down_revision = "s077_cancelled_remainders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("return_requests", JSONB, nullable=False, server_default="[]"))
