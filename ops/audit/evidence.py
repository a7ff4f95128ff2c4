"""What the audit has read, in a SQLite database of its own on disk: memory does not grow with the shop.

The database has no name (SQLite deletes such a file as soon as it has opened it): however the audit ends,
nothing of it stays. Ids are 16 bytes, times are microseconds since 1970.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Any
from uuid import UUID

import orjson

from schemas import STAFF, answer_id

Line = Mapping[str, Any]

_TABLES = """
CREATE TABLE account (id PRIMARY KEY, role, version, changed_at) WITHOUT ROWID;
CREATE TABLE product (id PRIMARY KEY, version, changed_at) WITHOUT ROWID;
CREATE TABLE stock (sku PRIMARY KEY, on_hand, reserved, version, changed_at) WITHOUT ROWID;
CREATE TABLE moved (sku PRIMARY KEY, pieces) WITHOUT ROWID;
CREATE TABLE reservation (order_id PRIMARY KEY, state, lines, held, version, changed_at) WITHOUT ROWID;
CREATE TABLE "order" (
    id PRIMARY KEY, customer_id, state, lines, shipped, returned, unshipped, revision, amended, version, age,
    changed_at
) WITHOUT ROWID;
CREATE TABLE mail (
    id PRIMARY KEY, template, order_id, customer_id, state, doubts, attempts, resend_of, changed_at
) WITHOUT ROWID;
CREATE TABLE answer (id PRIMARY KEY) WITHOUT ROWID;

CREATE TABLE handles ("group", type);
CREATE TABLE waiting (service, id, topic, key, version, at);
CREATE TABLE handled (id, "group", PRIMARY KEY (id, "group")) WITHOUT ROWID;
CREATE TABLE dead_letter ("group", id, state, topic, key, place, reason, detail);
CREATE TABLE event (
    id PRIMARY KEY, topic, key, position, version, type, cause, published_at
) WITHOUT ROWID;
CREATE TABLE cut (topic);
"""

_VIEWS = """
-- What each ledger says was told of each aggregate, and where: events of the versions 1 to "least" at least.
CREATE TABLE aggregate (topic, key, least, most, PRIMARY KEY (topic, key)) WITHOUT ROWID;
INSERT INTO aggregate
    SELECT 'customer.events', id, version, version FROM account WHERE role = 'customer';
INSERT INTO aggregate
    SELECT 'product.events', id, version, version FROM product;
INSERT INTO aggregate
    SELECT 'stock.events', packed(sku), version, version FROM stock;
INSERT INTO aggregate
    SELECT 'stock.events', order_id, version, version FROM reservation WHERE true ON CONFLICT DO NOTHING;
INSERT INTO aggregate
    SELECT 'order.events', id, version, version FROM "order";
-- A mail that was given up as doubtful, or suppressed, and so told of as failed, may turn out to have been sent.
INSERT INTO aggregate
    SELECT 'notification.events', id, state IN ('sent', 'failed', 'suppressed'),
        (state = 'sent') * 2 + (state IN ('failed', 'suppressed'))
    FROM mail;
-- What staff have had sent again is another mail, for which nothing else gives cause.
CREATE VIEW first_mail AS SELECT * FROM mail WHERE resend_of IS NULL;
CREATE VIEW ended_mail AS SELECT * FROM first_mail WHERE state IN ('sent', 'failed', 'suppressed', 'unwanted');
-- That a service has forgotten a customer is told once.
INSERT INTO aggregate
    SELECT 'erasure.events', id, 1, 1 FROM answer;

-- The mails that orders give cause for. That an order which was cancelled had been confirmed, its events tell.
CREATE VIEW due AS
    SELECT id AS order_id, customer_id, changed_at AS since,
        CASE state WHEN 'REJECTED' THEN 'rejected' WHEN 'CANCELLED' THEN 'cancelled' ELSE 'receipt' END AS template
    FROM "order" WHERE state <> 'PENDING'
    UNION ALL
    SELECT id, customer_id, changed_at, 'receipt' FROM "order" o
    WHERE state = 'CANCELLED' AND EXISTS (
        SELECT 1 FROM event WHERE topic = 'order.events' AND key = o.id AND type = 'order.confirmed');

-- And those that happen to an order more than once, or after its end: how many, and until when.
CREATE VIEW happened AS
    SELECT key AS order_id, template, count(*) AS times, max(published_at) AS since
    FROM event JOIN (
        SELECT 'order.amendment_accepted' AS type, 'order_amended' AS template
        UNION ALL SELECT 'order.amendment_refused', 'amendment_refused'
        UNION ALL SELECT 'order.shipped', 'shipped'
        UNION ALL SELECT 'order.delivered', 'delivered'
        UNION ALL SELECT 'order.returned', 'return_received'
    ) USING (type) GROUP BY key, template;

-- And those that events of accounts give cause for, and of stock, of which staff are told: how many, and until when.
CREATE VIEW noticed AS
    SELECT staff() AS customer_id, 'low_stock' AS template, count(*) AS times, max(published_at) AS since
    FROM event WHERE type = 'stock.low' GROUP BY type
    UNION ALL
    SELECT key, template, count(*), max(published_at)
    FROM event JOIN (
        SELECT 'customer.registered' AS type, 'welcome' AS template
        UNION ALL SELECT 'customer.verification_requested', 'verification'
        UNION ALL SELECT 'customer.registration_repeated', 'registration_repeated'
        UNION ALL SELECT 'customer.password_reset_requested', 'password_reset'
        UNION ALL SELECT 'customer.password_changed', 'password_changed'
    ) USING (type) GROUP BY key, template;

CREATE INDEX event_of_aggregate ON event (topic, key, position, version);
CREATE INDEX mail_of_order ON mail (order_id, template);
CREATE INDEX mail_of_account ON mail (customer_id, template) WHERE order_id IS NULL;
CREATE INDEX waiting_of_aggregate ON waiting (topic, key, version);
CREATE INDEX dead_letter_of_key ON dead_letter (key);
"""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_SOURCES: Mapping[str, tuple[str, Callable[[Line], Sequence[Any]]]] = {
    "account": (
        "INSERT INTO account VALUES (?, ?, ?, ?)",
        lambda one: (packed(one["id"]), one["role"], one["version"], micros(one["changed_at"])),
    ),
    "product": (
        "INSERT INTO product VALUES (?, ?, ?)",
        lambda one: (packed(one["id"]), one["version"], micros(one["changed_at"])),
    ),
    "stock": (
        "INSERT INTO stock VALUES (?, ?, ?, ?, ?)",
        lambda one: (
            *(one["sku"], one["on_hand"], one["reserved"], one["version"]),
            micros(one["changed_at"]),
        ),
    ),
    "movement": (
        "INSERT INTO moved VALUES (?, ?) ON CONFLICT DO UPDATE SET pieces = pieces + excluded.pieces",
        lambda one: (one["sku"], one["delta"]),
    ),
    "reservation": (
        "INSERT INTO reservation VALUES (?, ?, ?, ?, ?, ?)",
        lambda one: (
            *(packed(one["order_id"]), one["state"], summed(one["lines"]), summed(one["held"]), one["version"]),
            micros(one["changed_at"]),
        ),
    ),
    "order": (
        'INSERT INTO "order" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        lambda one: (
            *(packed(one["id"]), packed(one["customer_id"]), one["state"], summed(one["lines"])),
            *(summed(one["shipped"]), summed(one["returned"]), less(one["lines"], one["shipped"])),
            *(one["revision"], one["amended"], one["version"], one["age_seconds"], micros(one["changed_at"])),
        ),
    ),
    "mail": (
        "INSERT INTO mail VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        lambda one: (
            *(packed(one["id"]), one["template"], one["order_id"] and packed(one["order_id"])),
            *(packed(one["customer_id"]), one["state"], one["doubts"], one["attempts"], one["resend_of"]),
            micros(one["changed_at"]),
        ),
    ),
    "answer": (
        "INSERT INTO answer VALUES (?)",
        lambda one: (packed(str(answer_id(one["service"], UUID(one["customer_id"])))),),
    ),
    "handled": (
        "INSERT INTO handled VALUES (?, ?)",
        lambda one: (packed(one["event_id"]), one["group"]),
    ),
    "dead_letter": (
        "INSERT INTO dead_letter VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        lambda one: (
            *(one["group"], packed(one["event_id"]), one["state"], one["topic"], packed(one["key"] or "")),
            *(f"{one['partition']}/{one['offset']}", one["reason"], one["detail"]),
        ),
    ),
}
"""What becomes of a line of a service's answer, by its kind."""


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
        self._db.executescript(_TABLES)
        self._db.execute("BEGIN")

    def take(self, service: str, lines: Sequence[Line]) -> None:
        """Enter lines that a service has answered; those of a kind nobody knows are left out."""
        for kind, found in _by_kind(lines).items():
            if kind == "waiting":
                rows = [(service, *_waiting(line)) for line in found]
                self._db.executemany("INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?)", rows)
            elif kind in _SOURCES:
                statement, row = _SOURCES[kind]
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
            row = _event(topic, message)
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
            self._db.executescript(_VIEWS)

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


def packed(text: str) -> bytes | str:
    """A UUID as its 16 bytes; other keys as they are."""
    return bytes.fromhex(text.replace("-", "")) if _UUID.fullmatch(text) else text


def shown(key: bytes | str | None) -> str:
    """What was packed, for people."""
    return str(UUID(bytes=key)) if isinstance(key, bytes) else str(key)


def micros(moment: str) -> int:
    """An RFC 3339 time."""
    return round(datetime.fromisoformat(moment).timestamp() * 1_000_000)


def summed(lines: Sequence[Line]) -> str:
    """Lines as a JSON object, SKU → quantity, that is equal for equal lines."""
    totals: dict[str, int] = {}
    for line in lines:
        totals[line["sku"]] = totals.get(line["sku"], 0) + line["quantity"]
    return orjson.dumps(totals, option=orjson.OPT_SORT_KEYS).decode()


def less(lines: Sequence[Line], gone: Sequence[Line]) -> str:
    """What is left of lines, as ``summed`` gives it: only what is there."""
    left = [{"sku": line["sku"], "quantity": -line["quantity"]} for line in gone]
    totals = orjson.loads(summed([*lines, *left]))
    return orjson.dumps({sku: n for sku, n in totals.items() if n}, option=orjson.OPT_SORT_KEYS).decode()


def _by_kind(lines: Sequence[Line]) -> dict[str, list[Line]]:
    kinds: dict[str, list[Line]] = {}
    for line in lines:
        kinds.setdefault(line["kind"], []).append(line)
    return kinds


def _waiting(line: Line) -> tuple[Any, ...]:
    version = line["version"] or ""
    return (
        *(packed(line["event_id"]), line["topic"], packed(line["key"])),
        *(int(version) if version.isdecimal() else None, _moment(line["at"])),
    )


def _moment(text: str | None) -> int:
    """When; long ago if nobody knows."""
    try:
        return micros(text or "")
    except ValueError:
        return 0


def _event(topic: str, message: Any) -> tuple[Any, ...] | None:
    try:
        headers = dict(message.headers)
        cause = headers.get("ce_causationid")
        return (
            bytes.fromhex(headers["ce_id"].decode().replace("-", "")),
            topic,
            packed(message.key.decode()),
            message.offset,
            int(headers["ce_aggregateversion"]),
            headers["ce_type"].decode(),
            cause and packed(cause.decode()),
            message.timestamp * 1000,
        )
    except (KeyError, ValueError, AttributeError):
        return None
