"""Columns are named by what they contain."""

from alembic import op

revision = "s021"
down_revision = "s020"
branch_labels = None
depends_on = None

RENAMED = (
    ("accounts", "verify_asked_at", "verification_requested_at"),
    ("accounts", "reset_asked_at", "reset_requested_at"),
    ("refresh_tokens", "made_at", "issued_at"),
    ("erasures", "orders_at", "orders_anonymised_at"),
    ("erasures", "mails_at", "mails_anonymised_at"),
)


def upgrade() -> None:
    for table, before, after in RENAMED:
        op.alter_column(table, before, new_column_name=after)
