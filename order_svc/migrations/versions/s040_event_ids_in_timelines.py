"""Timelines: the event of another service that an entry reports, each at most once."""

import sqlalchemy as sa
from alembic import op

revision = "s040_event_ids_in_timelines"
down_revision = "s030_vocabulary"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("timeline", sa.Column("event_id", sa.Uuid))
    # No row has an event id yet, so this reads the table once and sorts nothing; it keeps writers out meanwhile.
    op.create_index(
        *("timeline_of_event", "timeline", ["event_id"]),
        unique=True,
        postgresql_where=sa.text("event_id IS NOT NULL"),
    )
