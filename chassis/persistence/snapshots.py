"""Reads that take long: everything as of one moment, streamed."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol


class Snapshot(Protocol):
    """The store as of one moment. What a query is depends on the database."""

    @property
    def outbox(self) -> Any:
        """The query for the events that are not published yet: event_id, topic, key, version, at."""
        ...

    @property
    def inbox(self) -> Any:
        """The query for the events that were handled: group, event_id."""
        ...

    @property
    def dead_letters(self) -> Any:
        """The query for the dead letters."""
        ...

    async def outbox_size(self) -> int:
        """How many events are in the outbox."""
        ...

    async def dead_letters_by_state(self) -> Mapping[str, int]:
        """How many dead letters there are, by state."""
        ...

    def rows(self, query: Any) -> AsyncGenerator[Sequence[Mapping[str, Any]], None]:
        """The rows of a query, in chunks."""
        ...


class Snapshots(Protocol):
    """A database that can be read as of one moment."""

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        """Open a snapshot; raise ``DatabaseUnavailable``."""
        ...
