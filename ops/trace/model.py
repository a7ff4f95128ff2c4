"""What a trace consists of. The records of the services are kept as they send them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

Record = Mapping[str, Any]
"""A record of a service, as JSON."""


@dataclass(frozen=True, slots=True)
class GroupVerdict:
    """What a consumer group did with an event; ``at`` is None where the group has stored no time."""

    group: str
    verdict: str
    at: str | None


@dataclass(frozen=True, slots=True)
class TracedEvent:
    """An event on a topic: where it is and what belongs to it, without what it says."""

    type: str
    id: str | None
    """None for a message that cannot be read as an event."""
    topic: str
    partition: int
    offset: int
    at: datetime
    """When it happened; for an unreadable message, when it was published."""
    published_at: datetime
    key: str | None
    version: int | None
    cause: str | None
    """The id of the event that led to it; None where a request did."""
    trace_id: str | None
    order_id: str | None
    customer_id: str | None


@dataclass(slots=True)
class Trace:
    """Everything that was found. ``key`` is never an e-mail address: it is the id of the customer then."""

    key: str
    kind: Literal["order", "customer", "event", "trace_id"]
    account: Record | None = None
    orders: list[Record] = field(default_factory=list)
    events: list[TracedEvent] = field(default_factory=list)
    groups: dict[str, list[GroupVerdict]] = field(default_factory=dict)
    """Event id → the groups that handle events of its type, and what they did."""
    reservations: list[Record] = field(default_factory=list)
    movements: list[Record] = field(default_factory=list)
    mails: list[Record] = field(default_factory=list)
    marked: frozenset[str] = frozenset()
    """The ids of the events that were asked for."""
    notes: list[str] = field(default_factory=list)
    """What could not be found or read, and why."""

    def verdicts(self, event: TracedEvent) -> list[GroupVerdict]:
        """What the groups did with an event."""
        return self.groups.get(event.id or "", [])

    def as_json(self) -> dict[str, Any]:
        """The trace for programs."""
        return {
            "key": self.key,
            "kind": self.kind,
            "account": self.account,
            "orders": [{k: v for k, v in order.items() if k != "timeline"} for order in self.orders],
            "events": [self._event(event) for event in self.events],
            "saga": [{"order_id": order["id"], **entry} for order in self.orders for entry in order["timeline"]],
            "reservations": self.reservations,
            "movements": self.movements,
            "mails": self.mails,
            "notes": self.notes,
        }

    def _event(self, event: TracedEvent) -> dict[str, Any]:
        return {
            **{"type": event.type, "id": event.id, "topic": event.topic},
            **{"partition": event.partition, "offset": event.offset, "at": event.at},
            "groups": [{"group": one.group, "verdict": one.verdict, "at": one.at} for one in self.verdicts(event)],
            **{"published_at": event.published_at, "key": event.key, "version": event.version},
            **{"cause": event.cause, "trace_id": event.trace_id, "order_id": event.order_id},
            "marked": event.id in self.marked,
        }


def read_event(message: Any, prefix: str) -> TracedEvent:
    """What a trace shows of a message as aiokafka delivers it; of the value only the ids of order and customer."""
    headers = {name: _text(value) or "" for name, value in message.headers}
    said, key = _ids(message.value), _text(message.key)
    topic, published = message.topic.removeprefix(prefix), datetime.fromtimestamp(message.timestamp / 1000, UTC)
    version = headers.get("ce_aggregateversion", "")
    return TracedEvent(
        type=headers.get("ce_type") or "unreadable",
        id=headers.get("ce_id"),
        topic=topic,
        partition=message.partition,
        offset=message.offset,
        at=_moment(headers.get("ce_time")) or published,
        published_at=published,
        key=key,
        version=int(version) if version.isdecimal() else None,
        cause=headers.get("ce_causationid"),
        trace_id=trace_id_of(headers.get("ce_traceparent")),
        order_id=said.get("order_id"),
        customer_id=said.get("customer_id"),
    )


def trace_id_of(traceparent: str | None) -> str | None:
    """The trace id in a ``traceparent`` (W3C Trace Context §3.2)."""
    parts = (traceparent or "").split("-")
    return parts[1] if len(parts) == 4 else None


def _ids(value: bytes | None) -> dict[str, str]:
    """The ids that a trace goes on with."""
    try:
        said = orjson.loads(value or b"{}")
    except ValueError:
        return {}
    names = ("order_id", "customer_id")
    found = said if isinstance(said, dict) else {}
    return {name: found[name] for name in names if isinstance(found.get(name), str)}


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode(errors="backslashreplace")


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None
