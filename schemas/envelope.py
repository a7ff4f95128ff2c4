"""The envelope of an event on Kafka: CloudEvents 1.0, binary mode.

Source: CloudEvents Kafka protocol binding 1.0.2 §3.2: attributes are headers prefixed ``ce_``, the data
is the value, the partition key is the key. Written by hand because it is on every hot path; tests compare it with the
reference library in both directions.
"""

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from pydantic import ValidationError

from schemas.event import CATALOGUE, Event

E = TypeVar("E", bound=Event, covariant=True)

SCHEMA_URN = "urn:shopstream:schema"
_SCHEMA = re.compile(rf"{SCHEMA_URN}:(?P<type>[a-z_.]+):(?P<version>[1-9][0-9]{{0,5}})")


@dataclass(frozen=True, slots=True)
class Message:
    """An encoded event, ready for the outbox and for Kafka."""

    id: UUID
    topic: str
    key: str
    headers: Mapping[str, str]
    value: bytes


@dataclass(frozen=True, slots=True)
class Envelope(Generic[E]):
    """An event with its metadata.

    ``aggregate_version`` counts the events of the aggregate from 1; at first delivery the versions of one
    key are contiguous. ``cause`` is the id of the event or request that led to this one, ``trace`` the
    W3C ``traceparent`` of the work it belongs to: of its cause, or of its sending in the same trace.
    """

    id: UUID
    source: str
    time: datetime
    aggregate_version: int
    event: E
    cause: str | None = None
    trace: str | None = None


class Place(Protocol):
    """From where a message was read: what every record has."""

    @property
    def topic(self) -> str:
        """Without the prefix of the installation."""
        ...

    @property
    def key(self) -> bytes | None:
        """The key."""
        ...


class Undecodable(ValueError):
    """A message that is not a known event. ``reason`` is one of the stable codes of ``decode``."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


def encode(envelope: Envelope[Event]) -> Message:
    """Encode an envelope as a message for its event's topic."""
    event = envelope.event
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(envelope.id),
        "ce_source": envelope.source,
        "ce_type": event.type,
        "ce_time": envelope.time.isoformat(timespec="microseconds"),
        "ce_subject": event.key,
        "ce_dataschema": f"{SCHEMA_URN}:{event.type}:{event.version}",
        "ce_aggregateversion": str(envelope.aggregate_version),
        "content-type": "application/json",
    }
    if envelope.cause:
        headers["ce_causationid"] = envelope.cause
    if envelope.trace:
        headers["ce_traceparent"] = envelope.trace
    return Message(envelope.id, event.topic, event.key, headers, event.model_dump_json().encode())


def decode(
    headers: Iterable[tuple[str, bytes]],
    value: bytes | None,
    wanted: Container[type[Event]] | None = None,
    at: Place | None = None,
) -> Envelope[Event] | None:
    """Decode a message; None for a known event whose class is not in ``wanted``.

    Raise ``Undecodable`` with reason ``bad_headers`` (no valid CloudEvents attributes), ``unknown_type``
    (no such type and version in the catalogue), ``bad_payload`` (not JSON, or not valid by the schema), or, where
    ``at`` says from where the message was read, ``misplaced`` (not from there, see ``misplaced``).
    """
    attributes = _attributes(headers)
    try:
        id_, time = UUID(attributes["ce_id"]), datetime.fromisoformat(attributes["ce_time"])
        source, version = attributes["ce_source"], int(attributes["ce_aggregateversion"])
        cls = _class(attributes["ce_dataschema"])
        # A time without an offset, which RFC 3339 requires, would be read as local time.
        if attributes["ce_specversion"] != "1.0" or time.tzinfo is None or version < 1:
            raise ValueError("not valid CloudEvents 1.0 attributes")
    except Undecodable:
        raise
    except (KeyError, ValueError) as error:
        raise Undecodable("bad_headers", repr(error)) from error
    if wanted is not None and cls not in wanted:
        return None
    if at is not None and (problem := misplaced(cls, at, attributes.get("ce_subject"), source)):
        raise Undecodable("misplaced", problem)
    event = _payload(cls, value)
    if at is not None and event.key != attributes["ce_subject"]:
        raise Undecodable("bad_payload", f"{cls.key_field} is not the key of the message")
    return Envelope(
        id=id_,
        source=source,
        time=time,
        aggregate_version=version,
        event=event,
        cause=attributes.get("ce_causationid"),
        # What sent the message, where that says so; else what caused the event.
        trace=attributes.get("traceparent") or attributes.get("ce_traceparent"),
    )


def decode_type(dataschema: bytes) -> type[Event]:
    """The class that the header ``ce_dataschema`` names, without looking at a value; raise ``Undecodable``."""
    return _class(dataschema.decode(errors="replace"))


def misplaced(cls: type[Event], at: Place, subject: str | None, source: str) -> str | None:
    """Why no publisher of Shopstream can have put a message there; None if it may be genuine.

    An event belongs on the topic of its type, comes from the service that owns the type, and has its aggregate's id
    as its key. Only the broker's access rules keep others from writing there; this keeps what one service may write
    from being taken for another's.
    """
    if at.topic != cls.topic:
        return f"{cls.type} on {at.topic}"
    if source != cls.source:
        return f"{cls.type} from {source[:100]}"
    if subject is None or at.key != subject.encode():
        return f"{cls.type} whose key is not its subject"
    return None


def _attributes(headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    try:
        return {name: value.decode() for name, value in headers}
    except (UnicodeDecodeError, AttributeError) as error:
        raise Undecodable("bad_headers", repr(error)) from error


def _class(schema: str) -> type[Event]:
    match = _SCHEMA.fullmatch(schema)
    cls = CATALOGUE.get((match["type"], int(match["version"]))) if match else None
    if cls is None:
        raise Undecodable("unknown_type", schema[:200])
    return cls


def _payload(cls: type[Event], value: bytes | None) -> Event:
    try:
        return cls.model_validate_json(value or b"")
    except ValidationError as error:
        # The payload may hold personal data: name the invalid fields, not their values.
        invalid = "; ".join(f"{'.'.join(map(str, e['loc']))} {e['type']}" for e in error.errors()[:5])
        raise Undecodable("bad_payload", invalid) from error
