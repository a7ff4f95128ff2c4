"""The tables that every service on PostgreSQL has: outbox, inbox, dead letters, attempts, jobs, actions, …"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB

metadata = sa.MetaData()

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("event_id", sa.Uuid, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("headers", JSONB, nullable=False),
    sa.Column("value", BYTEA, nullable=False),
)

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("consumer_group", sa.Text, primary_key=True),
    sa.Column("event_id", sa.Uuid, primary_key=True),
)

dead_letters = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("event_id", sa.Uuid, nullable=False),
    sa.Column("consumer_group", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("stream", sa.Text),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("partition", sa.Integer, nullable=False),
    sa.Column("offset", sa.BigInteger, nullable=False),
    sa.Column("key", BYTEA),
    sa.Column("headers", JSONB, nullable=False),
    sa.Column("value", BYTEA),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("original", BYTEA),
    sa.Column("redrives", sa.Integer, nullable=False, server_default="0"),
    sa.Index(
        "dead_letters_open",
        *("consumer_group", "stream"),
        postgresql_where=sa.text("state IN ('dead', 'parked')"),
    ),
    sa.Index("dead_letters_event", "event_id"),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("consumer_group", sa.Text, primary_key=True),
    sa.Column("event_id", sa.Uuid, primary_key=True),
    sa.Column("starts", sa.Integer, nullable=False),
)

jobs = sa.Table(
    "jobs",
    metadata,
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
    sa.Index("jobs_active", "created_at", postgresql_where=sa.text("state IN ('planning', 'running')")),
)

subscriptions = sa.Table(
    "subscriptions",
    metadata,
    sa.Column("consumer_group", sa.Text, primary_key=True),
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("starts", JSONB, nullable=False),
)

actions = sa.Table(
    "actions",
    metadata,
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("id", sa.Uuid, nullable=False, unique=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("who", sa.Uuid, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
)

shadows = sa.Table(
    "shadows",
    metadata,
    sa.Column("job_id", sa.Uuid, primary_key=True),
    sa.Column("table_name", sa.Text, primary_key=True),
    sa.Column("schema_name", sa.Text, nullable=False),
    sa.Column("replica", sa.Text, nullable=False),
    # The column with the id of the customer whom a row is about.
    sa.Column("customer_column", sa.Text),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)
