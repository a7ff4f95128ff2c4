"""The outbox: events stored in the transaction that caused them, until the broker has confirmed them.

Pattern: C. Richardson, *Microservices Patterns*, 2018, §3.3 (transactional outbox).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from schemas import Message

MOST_COUNTED = 100_000
"""To count more would be work for the database when it has most of it."""

Tx_contra = TypeVar("Tx_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class PendingMessage:
    """An outbox row that the broker has not confirmed yet; ``position`` is the database's own."""

    position: Any
    message: Message


@dataclass(frozen=True, slots=True)
class OutboxBacklog:
    """What is not published yet."""

    waiting: int
    """Events, at most ``MOST_COUNTED``."""
    oldest_seconds: float
    """Seconds since the oldest of them happened; 0 if there is none."""


class Outbox(Protocol[Tx_contra]):
    """The outbox as transactions write to it."""

    @property
    def added(self) -> asyncio.Event:
        """Set when a transaction of this process has committed messages; wakes the relay."""
        ...

    async def add(self, tx: Tx_contra, messages: Sequence[Message]) -> None:
        """Store messages, to be published after the commit, in this order."""
        ...


class OutboxReader(Protocol):
    """The outbox as the relay reads it."""

    async def advance(self, published: Sequence[PendingMessage], limit: int) -> Sequence[PendingMessage]:
        """Delete messages that the broker has confirmed, and return the oldest of the rest, in insertion order.

        Raise ``LeadershipLost`` when this process is no longer the leader.
        """
        ...
