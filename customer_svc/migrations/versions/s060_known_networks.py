"""The networks that the owners of accounts log in from."""

import sqlalchemy as sa
from alembic import op

revision = "s060"
down_revision = "s023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_networks",
        sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("network", sa.Text, primary_key=True),
        sa.Column("known_until", sa.DateTime(timezone=True), nullable=False),
    )
