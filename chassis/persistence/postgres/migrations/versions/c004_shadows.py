"""The tables in which replicas are rebuilt: erasures have to reach them, too."""

import sqlalchemy as sa
from alembic import op

revision = "c004"
down_revision = "c003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shadows",
        sa.Column("job_id", sa.Uuid, primary_key=True),
        sa.Column("table_name", sa.Text, primary_key=True),
        sa.Column("schema_name", sa.Text, nullable=False),
        sa.Column("replica", sa.Text, nullable=False),
        sa.Column("customer_column", sa.Text),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
