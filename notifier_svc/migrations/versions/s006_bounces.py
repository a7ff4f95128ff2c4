"""Mails that failed because their address does not exist: they are handled, so the audit only counts them."""

import sqlalchemy as sa
from alembic import op

revision = "s006"
down_revision = "s005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mails", sa.Column("bounced", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute("UPDATE mails SET bounced = true WHERE state = 'failed' AND id IN (SELECT mail_id FROM suppressions)")
