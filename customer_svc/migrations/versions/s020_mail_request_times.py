"""When each kind of mail was last requested, so that none delays another."""

import sqlalchemy as sa
from alembic import op

revision = "s020"
down_revision = "s005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for name in ("warned_at", "verify_asked_at", "reset_asked_at"):
        op.add_column("accounts", sa.Column(name, MOMENT))
    # Which kind of mail it was is unknown, so it counts as the one with the longest interval.
    op.execute("UPDATE accounts SET warned_at = asked_at WHERE asked_at IS NOT NULL")
    op.drop_column("accounts", "asked_at")
