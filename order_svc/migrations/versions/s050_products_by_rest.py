"""Which products of the replica were read from the catalogue, before an event about them had arrived."""

import sqlalchemy as sa
from alembic import op

revision = "s050_products_by_rest"
down_revision = "s040_event_ids_in_timelines"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("products", sa.Column("by_rest", sa.Boolean, nullable=False, server_default=sa.false()))
