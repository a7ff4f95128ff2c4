"""A message as Kafka delivers it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

NAMELESS = UUID("5a0d4c1e-6d1f-5c0a-9c55-0d8f6f3b2a10")
"""Namespace (RFC 9562 §5.5) of the ids given to messages that have none of their own."""


@dataclass(frozen=True, slots=True)
class KafkaRecord:
    """One message; ``topic`` without the prefix of the installation."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: Sequence[tuple[str, bytes]]
    value: bytes | None

    @property
    def stream(self) -> str | None:
        """The unit of ordering: one key of one topic. None for a message without a key."""
        return None if self.key is None else f"{self.topic}/{printable(self.key)}"


def id_of(record: KafkaRecord, headers: Mapping[str, bytes] | None = None) -> UUID:
    """The id that a message claims, readable or not; where it has none, one derived from its place.

    ``headers`` are those of the record, where they are at hand as a mapping.
    """
    claimed = (headers or dict(record.headers)).get("ce_id", b"")
    try:
        return UUID(claimed.decode())
    except ValueError:
        return place_id_of(record)


def place_id_of(record: KafkaRecord) -> UUID:
    """An id derived from a message's place, for one whose claimed id must not be taken for that of an event."""
    return uuid5(NAMELESS, f"{record.topic}/{record.partition}/{record.offset}")


def printable(raw: bytes) -> str:
    """Bytes as text that any database and log can hold; different bytes give different text."""
    text = raw.decode(errors="backslashreplace")
    return text.replace("\x00", "\\x00") if "\x00" in text else text
