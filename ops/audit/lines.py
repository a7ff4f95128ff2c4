"""Turns what was read, lines from a service and messages from a topic, into rows of tables."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from schemas import Undecodable, answer_id, decode_type, misplaced

Line = Mapping[str, Any]

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

INSERTS: Mapping[str, tuple[str, Callable[[Line], Sequence[Any]]]] = {
    "account": (
        "INSERT INTO account VALUES (?, ?, ?, ?, false)"
        " ON CONFLICT DO UPDATE SET kept = true, version = max(version, excluded.version)",
        lambda line: (packed(line["id"]), line["role"], line["version"], micros(line["changed_at"])),
    ),
    "product": (
        "INSERT INTO product VALUES (?, ?, ?)",
        lambda line: (packed(line["id"]), line["version"], micros(line["changed_at"])),
    ),
    "stock": (
        "INSERT INTO stock VALUES (?, ?, ?, ?, ?, ?)",
        lambda line: (
            *(line["sku"], line["on_hand"], line["reserved"], line["version"]),
            *(line.get("discontinued", False), micros(line["changed_at"])),
        ),
    ),
    "offer": ("INSERT INTO offer VALUES (?, ?)", lambda line: (line["sku"], line["available"])),
    "movement": (
        "INSERT INTO moved VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET quantity = quantity + excluded.quantity",
        lambda line: (
            *(packed(line["order_id"] or ""), line["reason"] if line["order_id"] else "", line["sku"], line["delta"]),
        ),
    ),
    "reservation": (
        "INSERT INTO reservation VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        lambda line: (
            *(packed(line["order_id"]), line["state"], summed(line["lines"]), summed(line["held"])),
            *(summed(line.get("lost", ())), line["revision"], line["version"], micros(line["changed_at"])),
        ),
    ),
    "order": (
        'INSERT INTO "order" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        lambda line: (
            *(packed(line["id"]), packed(line["customer_id"]), line["state"], summed(line["lines"])),
            *(summed(line["shipped"]), summed(line["returned"]), difference(line["returned"], line["scrapped"])),
            *(difference(line["lines"], line["shipped"]), summed(line.get("missing", ()))),
            *(difference(line["lines"], [*line["shipped"], *line.get("missing", ())]), line["in_transit"]),
            *(line["settled"], line["parcels"]),
            *(line["revision"], line["amended"], line["version"], line["age_seconds"], micros(line["changed_at"])),
        ),
    ),
    "mail": (
        "INSERT INTO mail VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        lambda line: (
            *(packed(line["id"]), line["template"], line["order_id"] and packed(line["order_id"])),
            *(packed(line["customer_id"]), line["state"], line["doubts"], line["attempts"]),
            *(
                line["resend_of"] and packed(line["resend_of"]),
                line.get("bounced", False),
                micros(line["changed_at"]),
            ),
        ),
    ),
    "answer": (
        "INSERT INTO acknowledgement VALUES (?, ?, ?, ?)",
        lambda line: (
            *(packed(str(answer_id(line["service"], UUID(line["customer_id"])))), line["service"]),
            *(packed(line["customer_id"]), line.get("has_address", False)),
        ),
    ),
    "erasure": (
        "INSERT INTO erasure VALUES (?, ?)",
        lambda line: (packed(line["customer_id"]), line["done"]),
    ),
    "handled": (
        "INSERT INTO handled VALUES (?, ?)",
        lambda line: (packed(line["event_id"]), line["group"]),
    ),
    "dead_letter": (
        "INSERT INTO dead_letter VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        lambda line: (
            *(line["group"], packed(line["event_id"]), line["state"], line["topic"], packed(line["key"] or "")),
            *(f"{line['partition']}/{line['offset']}", line["reason"], line["detail"]),
        ),
    ),
}
"""Kind of a line from a service → the INSERT statement, and the row that it makes of the line."""


def packed(text: str) -> bytes | str:
    """A UUID as its 16 bytes; other keys as they are."""
    return bytes.fromhex(text.replace("-", "")) if _UUID.fullmatch(text) else text


def shown(key: bytes | str | None) -> str:
    """A packed key as text."""
    return str(UUID(bytes=key)) if isinstance(key, bytes) else str(key)


def micros(moment: str) -> int:
    """An RFC 3339 time in microseconds since 1970."""
    return round(datetime.fromisoformat(moment).timestamp() * 1_000_000)


def summed(lines: Sequence[Line]) -> str:
    """Lines as a JSON object, SKU → quantity, that is equal for equal lines."""
    totals: dict[str, int] = {}
    for line in lines:
        totals[line["sku"]] = totals.get(line["sku"], 0) + line["quantity"]
    return orjson.dumps(totals, option=orjson.OPT_SORT_KEYS).decode()


def difference(lines: Sequence[Line], removed: Sequence[Line]) -> str:
    """What is left of ``lines`` without ``removed``, in the form of ``summed``, without zeros."""
    left = [{"sku": line["sku"], "quantity": -line["quantity"]} for line in removed]
    totals = orjson.loads(summed([*lines, *left]))
    return orjson.dumps({sku: n for sku, n in totals.items() if n}, option=orjson.OPT_SORT_KEYS).decode()


def waiting_row(service: str, line: Line) -> tuple[Any, ...]:
    """The row of an event that waits in an outbox."""
    version = line["version"] or ""
    return (
        *(service, packed(line["event_id"]), line["topic"], packed(line["key"])),
        *(int(version) if version.isdecimal() else None, _moment(line["at"])),
    )


def _moment(text: str | None) -> int:
    """A time in microseconds; 0 if it is unknown."""
    try:
        return micros(text or "")
    except ValueError:
        return 0


class _At(NamedTuple):
    """Where a message was read."""

    topic: str
    key: bytes | None


def _misplaced(at: _At, headers: Mapping[str, bytes]) -> bool:
    """Whether no service of the platform can have published it: such a message proves nothing."""
    try:
        cls = decode_type(headers["ce_dataschema"])
    except Undecodable:
        return False
    return misplaced(cls, at, headers["ce_subject"].decode(), headers["ce_source"].decode()) is not None


def event_row(topic: str, message: Any) -> tuple[Any, ...] | None:
    """The row of a message; None if it cannot be read as an event, or is not where such an event belongs."""
    try:
        headers = dict(message.headers)
        if _misplaced(_At(topic, message.key), headers):
            return None
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
