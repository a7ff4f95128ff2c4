"""What becomes of what was read, a line of a service's answer or a message of a topic: a row of a table."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from schemas import answer_id

Line = Mapping[str, Any]

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

SOURCES: Mapping[str, tuple[str, Callable[[Line], Sequence[Any]]]] = {
    "account": (
        "INSERT INTO account VALUES (?, ?, ?, ?, false)"
        " ON CONFLICT DO UPDATE SET kept = true, version = max(version, excluded.version)",
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
        "INSERT INTO moved VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET pieces = pieces + excluded.pieces",
        lambda one: (
            *(packed(one["order_id"] or ""), one["reason"] if one["order_id"] else "", one["sku"], one["delta"]),
        ),
    ),
    "reservation": (
        "INSERT INTO reservation VALUES (?, ?, ?, ?, ?, ?, ?)",
        lambda one: (
            *(packed(one["order_id"]), one["state"], summed(one["lines"]), summed(one["held"])),
            *(one["revision"], one["version"], micros(one["changed_at"])),
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
        "INSERT INTO answer VALUES (?, ?, ?, ?)",
        lambda one: (
            *(packed(str(answer_id(one["service"], UUID(one["customer_id"])))), one["service"]),
            *(packed(one["customer_id"]), one.get("has_address", False)),
        ),
    ),
    "erasure": (
        "INSERT INTO erasure VALUES (?, ?)",
        lambda one: (packed(one["customer_id"]), one["done"]),
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


def waiting_row(service: str, line: Line) -> tuple[Any, ...]:
    """A line about an event that waits in an outbox."""
    version = line["version"] or ""
    return (
        *(service, packed(line["event_id"]), line["topic"], packed(line["key"])),
        *(int(version) if version.isdecimal() else None, _moment(line["at"])),
    )


def _moment(text: str | None) -> int:
    """When; long ago if nobody knows."""
    try:
        return micros(text or "")
    except ValueError:
        return 0


def event_row(topic: str, message: Any) -> tuple[Any, ...] | None:
    """A message; None where it cannot be read as an event."""
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
