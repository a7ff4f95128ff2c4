"""Finds events on the topics by their headers, keys and times.

Values are not looked at: they may be personal data.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import TopicPartition

from chassis.messaging.topic_reader import Span
from ops.platform import Platform
from ops.topics import Topics, open_topics
from schemas.topics import TOPICS

CLOCK_SLACK = timedelta(minutes=5)
"""By how much the times of the messages of a partition may be out of order: the clocks of several relays differ."""

Progress = Callable[[str, int], object]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events to find; an empty part does not matter."""

    types: Collection[str] = ()
    key: str | None = None
    trace: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def matches(self, event: "FoundEvent") -> bool:
        """Is it one of them?"""
        return (
            (not self.types or event.type in self.types)
            and (self.key is None or event.key == self.key)
            and (self.trace is None or event.trace == self.trace)
            and (self.since is None or event.at >= self.since)
            and (self.until is None or event.at < self.until)
        )


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """An event on a topic. What its headers do not say is None; ``at`` is when it was published."""

    at: datetime
    type: str | None
    id: str | None
    topic: str
    partition: int
    offset: int
    key: str | None
    version: int | None
    """Its number among the events of its key."""
    trace: str | None
    cause: str | None

    def as_json(self) -> dict[str, Any]:
        """Its members, as the command prints them."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Found:
    """The first events that were wanted, by time, and whether there may be more."""

    events: Sequence[FoundEvent]
    more: bool
    read: int
    """How many messages were read."""


async def find(
    platform: Platform,
    wanted: Wanted,
    *,
    topics: Collection[str] = TOPICS,
    limit: int,
    all_partitions: bool = False,
    progress: Progress = lambda _what, _count: None,
) -> Found:
    """Search topics, up to where they end now. With a key, only its partitions, unless ``all_partitions``."""
    async with open_topics(
        platform.brokers, platform.kafka_prefix, [one for one in TOPICS if one in topics]
    ) as opened:
        spans = await _spans(opened, wanted)
        if wanted.key is not None and not all_partitions:
            home = opened.partitions_of_key(wanted.key)
            spans = {one: span for one, span in spans.items() if one in home}
        return await _search(opened, spans, wanted, limit, progress)


async def _search(
    topics: Topics, spans: Mapping[TopicPartition, Span], wanted: Wanted, limit: int, progress: Progress
) -> Found:
    found: dict[TopicPartition, list[FoundEvent]] = {one: [] for one in spans}
    read = 0
    async for partition, messages in topics.records(spans):
        read += len(messages)
        read_events = (event_of(topics.name(partition), message) for message in messages)
        found[partition] += [event for event in read_events if wanted.matches(event)]
        if len(found[partition]) > limit:
            topics.skip(partition)
        progress("topics", read)
    events = sorted((event for part in found.values() for event in part), key=lambda one: (one.at, one.offset))
    return Found(events[:limit], len(events) > limit, read)


async def _spans(topics: Topics, wanted: Wanted) -> dict[TopicPartition, Span]:
    """The parts of the partitions that can hold what is wanted."""
    first = await topics.offsets_at(wanted.since) if wanted.since else {}
    end = await topics.offsets_at(wanted.until + CLOCK_SLACK) if wanted.until else {}
    return {
        partition: Span(max(span.first, first.get(partition, 0)), min(span.end, end.get(partition, span.end)))
        for partition, span in topics.spans.items()
    }


def event_of(topic: str, message: Any) -> FoundEvent:
    """What a message says about its event, but for the value."""
    headers = {name: _text(value) for name, value in message.headers or ()}
    version, parent = headers.get("ce_aggregateversion") or "", headers.get("ce_traceparent") or ""
    return FoundEvent(
        at=datetime.fromtimestamp(message.timestamp / 1000, UTC),
        type=headers.get("ce_type"),
        id=headers.get("ce_id"),
        topic=topic,
        partition=message.partition,
        offset=message.offset,
        key=_text(message.key),
        version=int(version) if version.isdecimal() else None,
        trace=parent.split("-")[1] if parent.count("-") == 3 else None,
        cause=headers.get("ce_causationid"),
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")
