"""Orders lose the shortages of amendments that were refused: only those of a rejected order are its own."""

from alembic import op

revision = "s076_shortages_of_amendments"
down_revision = "s064_account_usage"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Reads the table once; few rows change.
    op.execute("UPDATE orders SET shortages = '[]' WHERE shortages <> '[]' AND state <> 'REJECTED'")
