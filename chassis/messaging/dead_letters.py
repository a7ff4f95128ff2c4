"""Dead letters: events that could not be handled, and the later events of the same key that wait behind them.

A letter is open (``dead`` or ``parked``) until it is redriven or discarded. Open letters block their stream: what
comes after them is parked behind them. The first open letter of a stream is dead, the ones behind it are parked. What
comes before them does not wait: a replay may bring an event that was lost, and its absence may be why they failed.
Closed letters stay, so that nobody asks about their events again.
"""

import base64
import hashlib
import traceback
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar
from uuid import UUID

from chassis.messaging.records import KafkaRecord, printable
from schemas import Message

Tx_contra = TypeVar("Tx_contra", contravariant=True)

LetterState = Literal["dead", "parked", "redriven", "discarded"]
OPEN: tuple[LetterState, ...] = ("dead", "parked")

REDACTED = "redacted: it was about a customer who was erased"
"""The ``detail`` of a dead letter after redaction: the original may quote the value."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that was not handled: ``dead`` because handling failed, ``parked`` because it is behind a dead one."""

    event_id: UUID
    group: str
    state: Literal["dead", "parked"]
    stream: str | None
    """Blocked by it while it is open; None for a message without a key, or one that is misplaced."""
    record: KafkaRecord
    reason: str
    detail: str
    fingerprint: str

    def row(self) -> dict[str, Any]:
        """The stored form. Headers are [name, base64]: byte for byte, in a form that JSON can hold."""
        record = self.record
        return {
            "event_id": self.event_id,
            "consumer_group": self.group,
            "state": self.state,
            "stream": self.stream,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "key": record.key,
            "headers": [[name, base64.b64encode(value).decode()] for name, value in record.headers],
            "value": record.value,
            "reason": self.reason,
            "detail": self.detail,
            "fingerprint": self.fingerprint,
        }

    def copy(self) -> Message:
        """The copy for the topic ``<group>.dlq``: the original value, and the reason in the headers."""
        record = self.record
        headers = {name: printable(value) for name, value in record.headers} | {
            "dlq_state": self.state,
            "dlq_reason": self.reason,
            "dlq_detail": self.detail,
            "dlq_fingerprint": self.fingerprint,
            "dlq_source": f"{record.topic}/{record.partition}/{record.offset}",
        }
        return Message(self.event_id, f"{self.group}.dlq", printable(record.key or b""), headers, record.value or b"")


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A dead letter as it is stored."""

    event_id: UUID
    group: str
    state: LetterState
    record: KafkaRecord
    reason: str
    detail: str
    fingerprint: str
    at: datetime
    original: bytes | None = None
    """The value before it was edited the first time."""
    redrives: int = 0
    """How often it was redriven in vain since it was edited the last time."""

    @property
    def open(self) -> bool:
        """Whether it blocks its stream."""
        return self.state in OPEN

    @property
    def redacted(self) -> bool:
        """Whether its value was removed because its customer was erased."""
        return self.detail == REDACTED and self.record.value is None


class BlockedStreams:
    """Streams with open letters, and where the first of these are: (stream, partition, offset) of letters."""

    def __init__(self, places: Iterable[tuple[str, int, int]] = ()) -> None:
        self._firsts: dict[str, dict[int, int]] = {}
        for stream, partition, offset in places:
            self._add(stream, partition, offset)

    @property
    def names(self) -> Collection[str]:
        """The streams."""
        return self._firsts

    def add(self, stream: str | None, record: KafkaRecord) -> None:
        """Block a stream from a record on."""
        if stream is not None:
            self._add(stream, record.partition, record.offset)

    def holds(self, stream: str | None, record: KafkaRecord) -> bool:
        """Whether a record has to wait: it is behind a letter, or in another partition, whose order nobody knows."""
        firsts = self._firsts.get(stream, {}) if stream is not None else {}
        return any(partition != record.partition or first < record.offset for partition, first in firsts.items())

    def _add(self, stream: str, partition: int, offset: int) -> None:
        firsts = self._firsts.setdefault(stream, {})
        firsts[partition] = min(offset, firsts.get(partition, offset))


@dataclass(frozen=True, slots=True)
class LetterStatus:
    """The state of a stored dead letter, and when it was stored."""

    state: LetterState
    at: datetime


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Which letters to list; None matches all."""

    states: Collection[LetterState] = OPEN
    type: str | None = None
    key: str | None = None
    fingerprint: str | None = None


class DeadLetters(Protocol[Tx_contra]):
    """The dead letters of a database."""

    async def add(self, tx: Tx_contra, letters: Sequence[DeadLetter]) -> None:
        """Store dead letters, and put a copy of each in the outbox."""
        ...

    async def redact(self, tx: Tx_contra, ids: Collection[UUID]) -> None:
        """Remove the value and the detail of every dead letter that mentions one of these ids.

        The letter itself stays, with its place, its reason and its fingerprint.
        """
        ...

    async def lock_stream(self, tx: Tx_contra, event: UUID, limit: int) -> Sequence[StoredLetter]:
        """The first open letters of the stream of this event's letter, in order; none if that letter is closed.

        The order is that of their offsets; partitions, which a key leaves when some are added, in that of arrival.
        While they are locked, no event is parked behind them, and nobody else redrives, edits or discards them.
        """
        ...

    async def update(self, tx: Tx_contra, letters: Sequence[StoredLetter]) -> None:
        """Store what has changed in letters that are locked."""
        ...

    async def get(self, event: UUID) -> StoredLetter | None:
        """The letter of an event."""
        ...

    async def find(self, wanted: LetterFilter, after: UUID | None, limit: int) -> Sequence[StoredLetter]:
        """Letters in the order of their event's ids, without headers and value."""
        ...

    async def states(self, group: str, ids: Collection[UUID]) -> Mapping[UUID, LetterStatus]:
        """The dead letters among these events, and what became of them. A read of its own, in no transaction."""
        ...

    async def blocked_streams(self, group: str) -> BlockedStreams:
        """The streams that have an open letter."""
        ...

    async def count_open(self, group: str) -> Mapping[tuple[str, LetterState], int]:
        """How many open letters there are, by topic and state; nothing where there are none."""
        ...


def fingerprint(reason: str, error: BaseException | None) -> str:
    """Equal for errors from the same place in the code, so that dead letters can be counted by cause."""
    frames = traceback.extract_tb(error.__traceback__) if error else []
    place = "".join(f"{frame.name}:{frame.lineno};" for frame in frames[-3:])
    return hashlib.sha256(f"{reason}|{type(error).__name__}|{place}".encode()).hexdigest()[:16]
