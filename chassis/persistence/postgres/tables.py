"""The tables that every service on PostgreSQL has: outbox, inbox, dead letters, attempts."""

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
    sa.Index("dead_letters_stream", "consumer_group", "stream"),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("consumer_group", sa.Text, primary_key=True),
    sa.Column("event_id", sa.Uuid, primary_key=True),
    sa.Column("starts", sa.Integer, nullable=False),
)
