"""The inbox: which events a consumer group has handled, and which were being handled when the process died.

Pattern: G. Hohpe, B. Woolf, *Enterprise Integration Patterns*, 2003 (idempotent receiver).
"""

from collections.abc import Collection, Mapping
from typing import Protocol, TypeVar
from uuid import UUID

from chassis.messaging.dead_letters import BlockedStreams

Tx_contra = TypeVar("Tx_contra", contravariant=True)


class Deduplication(Protocol):
    """Events that are being entered in the inbox."""

    async def outcome(self) -> tuple[set[UUID], BlockedStreams]:
        """The events that were not in the inbox before, and the streams that have a dead letter."""
        ...


class Inbox(Protocol[Tx_contra]):
    """The inbox of a database."""

    def deduplicate(
        self, tx: Tx_contra, group: str, events: Collection[UUID], streams: Collection[str]
    ) -> Deduplication:
        """Enter events in the inbox. Statements issued before the outcome is awaited share its round trip."""
        ...

    async def known(self, group: str, ids: Collection[UUID]) -> set[UUID]:
        """Which of these events are in the inbox, dead letters included. A read of its own, in no transaction."""
        ...


class Attempts(Protocol[Tx_contra]):
    """How often an event was being handled when the process died: such an event cannot be caught, only counted."""

    async def record(self, tx: Tx_contra, group: str, events: Collection[UUID]) -> Mapping[UUID, int]:
        """Record a first attempt for events that have none; return the earlier attempts of those that have."""
        ...

    async def increment(self, tx: Tx_contra, group: str, events: Collection[UUID]) -> None:
        """Count one more attempt."""
        ...

    async def clear(self, tx: Tx_contra, group: str, events: Collection[UUID]) -> None:
        """Remove the attempts of events that were handled."""
        ...
