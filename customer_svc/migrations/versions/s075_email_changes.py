"""Links that change an account's e-mail address, or revert that: which address each is about."""

import sqlalchemy as sa
from alembic import op

revision = "s075"
down_revision = "s073"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("links", sa.Column("email", sa.Text))
    op.create_index("ix_links_email", "links", ["email"], postgresql_where=sa.text("purpose = 'revert'"))
