"""The tables of sessions and their refresh tokens."""

from uuid import UUID

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.expiry import Expiry
from chassis.persistence.postgres.rows import Load, Row, columns, insert_rows, select_rows, update_rows
from chassis.persistence.unit_of_work import IdentityMap
from customer_svc.accounts.store import MOMENT, metadata
from customer_svc.sessions.domain import RefreshToken, Session

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("began_at", MOMENT, nullable=False),
    sa.Column("ends_at", MOMENT, nullable=False),
    sa.Column("ended_at", MOMENT),
    sa.Index("ix_sessions_ended_at", "ended_at", postgresql_where=sa.text("ended_at IS NOT NULL")),
)

refresh_tokens = sa.Table(
    "refresh_tokens",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("session_id", sa.Uuid, sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("account_id", sa.Uuid, nullable=False),
    sa.Column("issued_at", MOMENT, nullable=False),
    sa.Column("used_at", MOMENT),
)

_SELECT_SESSIONS = select_rows(sessions, "id")
_INSERT_SESSIONS = insert_rows(sessions, *sessions.c.keys())
_UPDATE_SESSIONS = update_rows(sessions, "id", "ended_at")
_SELECT_TOKENS = select_rows(refresh_tokens, "token_hash")
_INSERT_TOKENS = insert_rows(refresh_tokens, *refresh_tokens.c.keys())
_UPDATE_TOKENS = update_rows(refresh_tokens, "token_hash", "used_at")
# Refresh tokens are deleted with their session.
EXPIRY_SECONDS = 600.0


def sessions_to_load(loaded: IdentityMap[UUID, Session]) -> Load[UUID, Session]:
    """How to load and lock these sessions."""
    return loaded, _SELECT_SESSIONS, lambda row: (row.id, Session(**row._asdict()))


def sessions_to_save(changed: IdentityMap[UUID, Session]) -> list[tuple[str, list[Row]]]:
    """How to save the sessions that are new or have ended."""
    return [
        (_INSERT_SESSIONS, [columns(session, sessions.c.keys()) for session in changed.inserted]),
        (_UPDATE_SESSIONS, [columns(session, ("id", "ended_at")) for session in changed.updated]),
    ]


def tokens_to_load(loaded: IdentityMap[str, RefreshToken]) -> Load[str, RefreshToken]:
    """How to load and lock these refresh tokens."""
    return loaded, _SELECT_TOKENS, lambda row: (row.token_hash, RefreshToken(**row._asdict()))


def tokens_to_save(changed: IdentityMap[str, RefreshToken]) -> list[tuple[str, list[Row]]]:
    """How to save the refresh tokens that are new or were used."""
    return [
        (_INSERT_TOKENS, [columns(token, refresh_tokens.c.keys()) for token in changed.inserted]),
        (_UPDATE_TOKENS, [columns(token, ("token_hash", "used_at")) for token in changed.updated]),
    ]


def session_expiry(database: Postgres) -> Expiry:
    """Deletes expired sessions, with their refresh tokens."""
    return Expiry(database, sessions, "ends_at < now()", seconds=EXPIRY_SECONDS)
