"""The table of timelines. Entries are only ever added, one for an event id; an erasure alone changes some."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis.persistence.postgres.rows import Row, columns, insert_rows
from chassis.persistence.unit_of_work import AppendOnly
from order_svc.timeline.domain import TimelineEntry

metadata = sa.MetaData()

timeline = sa.Table(
    "timeline",
    metadata,
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("order_id", sa.Uuid, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("detail", JSONB, nullable=False),
    sa.Column("event_id", sa.Uuid),
    sa.Index("timeline_of_order", "order_id", "position"),
    # Without the entries about the order's own events, which are about half of all.
    sa.Index("timeline_of_event", "event_id", unique=True, postgresql_where=sa.text("event_id IS NOT NULL")),
)

_COLUMNS = ("order_id", "at", "type", "detail", "event_id")
_ONCE = "ON CONFLICT (event_id) WHERE event_id IS NOT NULL DO NOTHING"
# Entries from before the migration s040 have no event id, but the time and the type of their event.
_OLDER = (
    "SELECT FROM timeline AS old WHERE old.event_id IS NULL"
    " AND old.order_id = r.order_id AND old.type = r.type AND old.at = r.at"
)
_INSERT = f"{insert_rows(timeline, *_COLUMNS)} {_ONCE}"
_INSERT_REPEATED = f"{insert_rows(timeline, *_COLUMNS, where=f'NOT EXISTS ({_OLDER})')} {_ONCE}"


def save_timeline(entries: AppendOnly[TimelineEntry], *, repeated: bool) -> tuple[str, Sequence[Row]]:
    """What saves new entries; with ``repeated``, events that were handled before may have entries."""
    return _INSERT_REPEATED if repeated else _INSERT, [columns(entry, _COLUMNS) for entry in entries.added]


def entry_from(row: Any) -> TimelineEntry:
    """The entry in a row of the table."""
    return TimelineEntry(row.order_id, row.at, row.type, row.detail, row.event_id)
