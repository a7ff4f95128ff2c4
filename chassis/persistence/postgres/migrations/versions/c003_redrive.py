"""Dead letters that were redriven, discarded or edited; jobs and actions of ops; subscriptions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, JSONB

revision = "c003"
down_revision = "c002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dead_letters", sa.Column("original", BYTEA))
    op.add_column("dead_letters", sa.Column("redrives", sa.Integer, nullable=False, server_default="0"))
    op.drop_index("dead_letters_stream", "dead_letters")
    op.create_index(
        "dead_letters_open",
        "dead_letters",
        ["consumer_group", "stream"],
        postgresql_where=sa.text("state IN ('dead', 'parked')"),
    )
    op.create_index("dead_letters_event", "dead_letters", ["event_id"])
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("request", JSONB, nullable=False),
        sa.Column("progress", JSONB, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("starts", sa.Integer, nullable=False),
        sa.Column("owner", sa.Uuid),
        sa.Column("lease_until", sa.DateTime(timezone=True)),
        sa.Column("who", sa.Uuid, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    op.create_index(
        "jobs_active", "jobs", ["created_at"], postgresql_where=sa.text("state IN ('planning', 'running')")
    )
    op.create_table(
        "subscriptions",
        sa.Column("consumer_group", sa.Text, primary_key=True),
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("starts", JSONB, nullable=False),
    )
    op.create_table(
        "actions",
        sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("id", sa.Uuid, nullable=False, unique=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("who", sa.Uuid, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
    )
