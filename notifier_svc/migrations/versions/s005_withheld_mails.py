"""Mails that a replay withheld are among those that staff look for."""

import sqlalchemy as sa
from alembic import op

revision = "s005"
down_revision = "s004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("mails_undelivered")
    op.create_index(
        *("mails_undelivered", "mails", ["position"]),
        postgresql_where=sa.text("state IN ('failed', 'suppressed', 'withheld')"),
    )
