"""What the audit has read, in a SQLite database of its own on disk: memory does not grow with the shop.

The database has no name (SQLite deletes such a file as soon as it has opened it): however the audit ends,
nothing of it stays. Ids are 16 bytes, times are microseconds since 1970.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Any

from ops.audit.lines import SOURCES, Line, event_row, packed, shown, waiting_row
from ops.audit.tables import TABLES, VIEWS
from schemas import STAFF


class Evidence:
    """The database. It is filled by one thread and asked by another, one after the other."""

    def __init__(self) -> None:
        self._at_work = Lock()
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for function in (shown, packed):
            self._db.create_function(function.__name__, 1, function, deterministic=True)
        self._db.create_function("staff", 0, lambda: STAFF.bytes, deterministic=True)
        # Nothing here has to survive: no journal, one transaction without an end.
        for pragma in ("journal_mode = OFF", "cache_size = -32768", "temp_store = FILE"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(TABLES)
        self._db.execute("BEGIN")

    def take(self, service: str, lines: Sequence[Line]) -> None:
        """Enter lines that a service has answered; those of a kind nobody knows are left out."""
        for kind, found in _by_kind(lines).items():
            if kind == "waiting":
                rows = [waiting_row(service, line) for line in found]
                self._db.executemany("INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?)", rows)
            elif kind in SOURCES:
                statement, row = SOURCES[kind]
                self._db.executemany(statement, map(row, found))

    def take_handles(self, group: str, types: Iterable[str]) -> None:
        """Enter which events a group handles."""
        self._db.executemany("INSERT INTO handles VALUES (?, ?)", [(group, one) for one in types])

    def take_events(self, topic: str, messages: Iterable[Any]) -> int:
        """Enter messages of one partition, in order; of an event that is there again, the first counts.

        Return how many could not be read as events; the services have set those aside.
        """
        rows, strange = [], 0
        for message in messages:
            row = event_row(topic, message)
            if row is None:
                strange += 1
            else:
                rows.append(row)
        self._db.executemany("INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        return strange

    def close_books(self, cut: Iterable[str]) -> None:
        """Everything has been read; ``cut`` are the topics whose beginning is gone."""
        with self._at_work:
            self._db.executemany("INSERT INTO cut VALUES (?)", [(topic,) for topic in cut])
            self._db.executescript(VIEWS)

    def ask(self, query: str, parameters: Mapping[str, Any], limit: int) -> list[tuple[Any, ...]]:
        """The first rows of a query."""
        with self._at_work:
            return self._db.execute(f"{query} LIMIT {limit:d}", parameters).fetchall()

    def count(self, query: str, parameters: Mapping[str, Any]) -> int:
        """How many rows a query has."""
        with self._at_work:
            return int(self._db.execute(f"SELECT count(*) FROM ({query})", parameters).fetchone()[0])  # noqa: S608

    def close(self) -> None:
        """Let go of the disk, also while another thread waits for an answer: it gets an error."""
        self._db.interrupt()
        with self._at_work:
            self._db.close()


def _by_kind(lines: Sequence[Line]) -> dict[str, list[Line]]:
    kinds: dict[str, list[Line]] = {}
    for line in lines:
        kinds.setdefault(line["kind"], []).append(line)
    return kinds
