"""The time zone of customers, for the times in mails."""

import sqlalchemy as sa
from alembic import op

revision = "s073"
down_revision = "s072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("time_zone", sa.Text))
