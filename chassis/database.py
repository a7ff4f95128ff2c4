"""What the chassis needs of a database, whichever it is: transactions, outbox, inbox, dead letters.

Two databases do it, ``sql.Postgres`` and ``mongo.Mongo``, with the same verbs in the same order.
"""

import asyncio
import base64
import hashlib
import traceback
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar
from uuid import UUID

from schemas import Message

Tx = TypeVar("Tx")


class Conflict(Exception):
    """Another transaction was faster; nothing was changed, and the same on fresh reads may succeed."""


class Away(Exception):
    """The database cannot be reached, or not now; nothing was changed."""


class CommitUnknown(Away):
    """The connection broke during the commit: everything was changed, or nothing."""


class Deposed(Exception):
    """The lease of the relay is lost; another process carries the outbox now."""


@dataclass(frozen=True, slots=True)
class Record:
    """A message as Kafka delivered it; ``topic`` without the prefix of the installation."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: Sequence[tuple[str, bytes]]
    value: bytes | None

    @property
    def stream(self) -> str | None:
        """What is kept in order: one key of one topic; None for a message without a key."""
        return None if self.key is None else f"{self.topic}/{printable(self.key)}"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event set aside: ``dead`` because it could not be handled, ``parked`` because it is behind one."""

    event_id: UUID
    group: str
    state: Literal["dead", "parked"]
    record: Record
    reason: str
    detail: str
    fingerprint: str

    def row(self) -> dict[str, Any]:
        """What the database keeps. Headers are [name, base64]: byte for byte, in a form that JSON can hold."""
        record = self.record
        return {
            "event_id": self.event_id,
            "consumer_group": self.group,
            "state": self.state,
            "stream": record.stream,
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
        """The copy for ``<group>.dlq``: the original value, and the story in the headers."""
        record = self.record
        headers = {name: printable(value) for name, value in record.headers} | {
            "dlq_state": self.state,
            "dlq_reason": self.reason,
            "dlq_detail": self.detail,
            "dlq_fingerprint": self.fingerprint,
            "dlq_source": f"{record.topic}/{record.partition}/{record.offset}",
        }
        return Message(self.event_id, f"{self.group}.dlq", printable(record.key or b""), headers, record.value or b"")


EMPTIED = "emptied: it was about somebody who is erased"
"""What a dead letter says of its fault once it is emptied: the fault may have quoted it."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An outbox row that the broker has not confirmed yet; ``position`` is the database's own."""

    position: Any
    message: Message


class Admission(Protocol):
    """Events on their way into the inbox."""

    async def outcome(self) -> tuple[set[UUID], set[str]]:
        """Those that were not there yet, and which streams have a dead letter."""
        ...


class OutboxReader(Protocol):
    """The outbox in the hands of the one relay that leads."""

    async def advance(self, done: Sequence[Pending], limit: int) -> Sequence[Pending]:
        """Delete rows that the broker has confirmed, and return the oldest of the others, in insertion order.

        Raise ``Deposed`` when no longer the leader.
        """
        ...


class Snapshot(Protocol):
    """The store as of one moment. What a query is depends on the database."""

    @property
    def outbox(self) -> Any:
        """The query for the events that wait: event_id, topic, key, version, at."""
        ...

    @property
    def inbox(self) -> Any:
        """The query for the events that were handled: group, event_id."""
        ...

    @property
    def dead_letters(self) -> Any:
        """The query for what was set aside."""
        ...

    async def waiting(self) -> int:
        """How many events are in the outbox."""
        ...

    async def buried(self) -> Mapping[str, int]:
        """How many dead letters there are, by state."""
        ...

    def rows(self, query: Any) -> AsyncGenerator[Sequence[Mapping[str, Any]], None]:
        """The rows of a query, some at a time."""
        ...


class Database(Protocol[Tx]):
    """The verbs. Every method that takes a ``tx`` works inside that transaction."""

    @property
    def published(self) -> asyncio.Event:
        """Set when a transaction of this process has committed events; the relay waits for it."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Tx]:
        """Commit at the end, roll back on an exception; raise ``Conflict``, ``Away``, ``CommitUnknown``."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        """Everything as of one moment, for reads that take long."""
        ...

    async def check(self) -> None:
        """Raise ``Away`` unless the database answers."""
        ...

    async def publish(self, tx: Tx, messages: Sequence[Message]) -> None:
        """Put messages in the outbox."""
        ...

    def admit(self, tx: Tx, group: str, events: Collection[UUID], streams: Collection[str]) -> Admission:
        """Enter events in the inbox. What is asked before the outcome may travel with it."""
        ...

    async def bury(self, tx: Tx, letters: Sequence[DeadLetter]) -> None:
        """Keep dead letters, and publish a copy of each."""
        ...

    async def empty(self, tx: Tx, named: Collection[UUID]) -> None:
        """Empty the dead letters that name any of these ids; that they were set aside, and why, stays."""
        ...

    async def suspects(self, tx: Tx, group: str, events: Collection[UUID]) -> Mapping[UUID, int]:
        """How often each event was in hand when the process died, where it was; note the others once."""
        ...

    async def accuse(self, tx: Tx, group: str, events: Collection[UUID]) -> None:
        """Count one more handling of suspects."""
        ...

    async def acquit(self, tx: Tx, group: str, events: Collection[UUID]) -> None:
        """Forget suspects that were handled."""
        ...

    def leading(self) -> AbstractAsyncContextManager[OutboxReader]:
        """Wait until this process is the one relay of the service, then read its outbox."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


def printable(raw: bytes) -> str:
    """Bytes as text that any database and log can hold, and that still tells different bytes apart."""
    return raw.decode(errors="backslashreplace").replace("\x00", "\\x00")


def fingerprint(reason: str, error: BaseException | None) -> str:
    """Equal for errors from the same place in the code, so that dead letters can be counted by cause."""
    frames = traceback.extract_tb(error.__traceback__) if error else []
    place = "".join(f"{frame.name}:{frame.lineno};" for frame in frames[-3:])
    return hashlib.sha256(f"{reason}|{type(error).__name__}|{place}".encode()).hexdigest()[:16]
