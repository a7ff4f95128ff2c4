"""What was called suspects is called attempts."""

from alembic import op

revision = "c002"
down_revision = "c001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.rename_table("suspects", "attempts")
    op.execute("ALTER INDEX suspects_pkey RENAME TO attempts_pkey")
