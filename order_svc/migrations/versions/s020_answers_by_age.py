"""Answers to requests with an Idempotency-Key, by age: old ones are removed."""

from alembic import op

revision = "s020_answers_by_age"
down_revision = "s011_reminded"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("idempotency_keys_by_age", "idempotency_keys", ["stored_at"])
