"""The table of timelines. Entries are only ever added; an erasure alone changes some."""

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
    sa.Index("timeline_of_order", "order_id", "position"),
)

_COLUMNS = ("order_id", "at", "type", "detail")
_INSERT = insert_rows(timeline, *_COLUMNS)


def save_timeline(entries: AppendOnly[TimelineEntry]) -> tuple[str, Sequence[Row]]:
    """What saves new entries."""
    return _INSERT, [columns(entry, _COLUMNS) for entry in entries.added]


def entry_from(row: Any) -> TimelineEntry:
    """The entry in a row of the table."""
    return TimelineEntry(row.order_id, row.at, row.type, row.detail)
