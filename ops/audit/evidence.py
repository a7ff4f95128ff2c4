"""What the audit has read, in a SQLite database on disk, so that memory does not grow with the shop.

The database has no name: SQLite deletes such a file as soon as it is open, so nothing is left behind however the
audit ends. Ids are 16 bytes, times are microseconds since 1970.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Any

from ops.audit.lines import INSERTS, Line, event_row, packed, shown, waiting_row
from ops.audit.tables import TABLES, VIEWS
from schemas import STAFF


class Evidence:
    """The database. One thread fills it, then another one queries it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for function in (shown, packed):
            self._db.create_function(function.__name__, 1, function, deterministic=True)
        self._db.create_function("staff", 0, lambda: STAFF.bytes, deterministic=True)
        # Nothing here has to survive: no journal, and one transaction that is never committed.
        for pragma in ("journal_mode = OFF", "cache_size = -32768", "temp_store = FILE"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(TABLES)
        self._db.execute("BEGIN")

    def add_lines(self, service: str, lines: Sequence[Line]) -> None:
        """Add lines from a service; skip those of an unknown kind."""
        for kind, found in _by_kind(lines).items():
            if kind == "waiting":
                rows = [waiting_row(service, line) for line in found]
                self._db.executemany("INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?)", rows)
            elif kind in INSERTS:
                statement, row = INSERTS[kind]
                self._db.executemany(statement, map(row, found))

    def add_handled_types(self, group: str, types: Iterable[str]) -> None:
        """Add the event types that a group handles."""
        self._db.executemany("INSERT INTO handles VALUES (?, ?)", [(group, type_) for type_ in types])

    def add_events(self, topic: str, messages: Iterable[Any]) -> int:
        """Add messages of one partition, in order; of an event that occurs twice, the first counts.

        Return how many could not be read as events; the services have dead-lettered those.
        """
        rows, unreadable = [], 0
        for message in messages:
            row = event_row(topic, message)
            if row is None:
                unreadable += 1
            else:
                rows.append(row)
        self._db.executemany("INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        return unreadable

    def finish(self, truncated: Iterable[str]) -> None:
        """Build what the checks query, once everything is read; ``truncated`` topics lack their beginning."""
        with self._lock:
            self._db.executemany("INSERT INTO truncated VALUES (?)", [(topic,) for topic in truncated])
            self._db.executescript(VIEWS)

    def rows(self, query: str, parameters: Mapping[str, Any], limit: int) -> list[tuple[Any, ...]]:
        """The first rows of a query."""
        with self._lock:
            return self._db.execute(f"{query} LIMIT {limit:d}", parameters).fetchall()

    def count(self, query: str, parameters: Mapping[str, Any]) -> int:
        """The number of rows of a query."""
        with self._lock:
            return int(self._db.execute(f"SELECT count(*) FROM ({query})", parameters).fetchone()[0])  # noqa: S608

    def close(self) -> None:
        """Release the disk, also while another thread runs a query: that thread gets an error."""
        self._db.interrupt()
        with self._lock:
            self._db.close()


def _by_kind(lines: Sequence[Line]) -> dict[str, list[Line]]:
    kinds: dict[str, list[Line]] = {}
    for line in lines:
        kinds.setdefault(line["kind"], []).append(line)
    return kinds
