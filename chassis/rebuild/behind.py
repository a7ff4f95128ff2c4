"""What the live consumer has not handled yet: such rows are no difference, and are not swapped.

A row that a swap had brought up to date would not change when live handles its event, and an undo would lose it.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from chassis.messaging.topic_reader import Place, ReadRecord, Span, TopicReader
from chassis.rebuild.selection import Selection
from chassis.replay.domain import header_of
from chassis.replay.target import ReplayTarget

CHUNK = 500

Events = Mapping[UUID, str]
"""The id of an event → its stream: the key of its message."""


class LiveBehind:
    """Finds the events that the live consumer has not handled."""

    def __init__(self, target: ReplayTarget[Any], selection: Selection, reader: TopicReader) -> None:
        self._target, self._selection, self._reader = target, selection, reader

    async def unhandled(self, read: Mapping[Place, Span]) -> Events:
        """Those from where its group has committed to where the rebuild has read.

        What lies before that, and was not handled, never will be: such a hole is a difference.
        """
        committed = await self._reader.committed(self._target.group)
        spans = {
            place: Span(max(span.first, committed.get(place, span.first)), span.end) for place, span in read.items()
        }
        events: dict[UUID, str] = {}
        async with self._reader.merged(spans) as chunks:
            async for records in chunks:
                found = self.events(records)
                known = await self._target.database.inbox.known(self._target.group, list(found))
                events |= {event: stream for event, stream in found.items() if event not in known}
        return events

    def events(self, records: Iterable[ReadRecord]) -> Events:
        """The events that may change the replica."""
        headers = (header_of(one.record) for one in records)
        return {header.event_id: header.key for header in headers if self._selection.wants(header)}

    async def streams(self, events: Events) -> set[str]:
        """The streams of those events that are not handled by now."""
        ids, streams = list(events), set[str]()
        for nth in range(0, len(ids), CHUNK):
            some = ids[nth : nth + CHUNK]
            known = await self._target.database.inbox.known(self._target.group, some)
            streams |= {events[event] for event in some if event not in known}
        return streams
