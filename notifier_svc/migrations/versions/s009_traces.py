"""The trace of what caused a mail, so that its sending belongs to it."""

import sqlalchemy as sa
from alembic import op

revision = "s009"
down_revision = "s008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mails", sa.Column("trace", sa.Text))
