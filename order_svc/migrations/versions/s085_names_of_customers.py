"""The names of customers, for staff. Those who registered before have one after a rebuild."""

import sqlalchemy as sa
from alembic import op

revision = "s085_names_of_customers"
down_revision = "s078_return_requests"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customers", sa.Column("name", sa.Text))
    op.add_column("customers", sa.Column("name_version", sa.Integer, nullable=False, server_default=sa.text("0")))
