"""The envelope of an event on Kafka: CloudEvents 1.0, binary mode.

Source: CloudEvents Kafka protocol binding 1.0.2 §3.2: attributes are headers prefixed ``ce_``, the data
is the value, the partition key is the key. Written by hand because it is on every hot path; tests compare it with the
reference library in both directions.
"""

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
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
    W3C ``traceparent`` of the work it belongs to.
    """

    id: UUID
    source: str
    time: datetime
    aggregate_version: int
    event: E
    cause: str | None = None
    trace: str | None = None


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
    headers: Iterable[tuple[str, bytes]], value: bytes | None, wanted: Container[type[Event]] | None = None
) -> Envelope[Event] | None:
    """Decode a message; None for a known event whose class is not in ``wanted``.

    Raise ``Undecodable`` with reason ``bad_headers`` (no valid CloudEvents attributes), ``unknown_type``
    (no such type and version in the catalogue) or ``bad_payload`` (not JSON, or not valid
    by the schema).
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
    return Envelope(
        id=id_,
        source=source,
        time=time,
        aggregate_version=version,
        event=_payload(cls, value),
        cause=attributes.get("ce_causationid"),
        trace=attributes.get("ce_traceparent"),
    )


def decode_type(dataschema: bytes) -> type[Event]:
    """The class that the header ``ce_dataschema`` names, without looking at a value; raise ``Undecodable``."""
    return _class(dataschema.decode(errors="replace"))


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
