"""The time zone of customers."""

import sqlalchemy as sa
from alembic import op

revision = "s008"
down_revision = "s006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customers", sa.Column("time_zone", sa.Text))
