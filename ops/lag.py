"""How far the consumer groups are behind the topics that they subscribe to."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from chassis.messaging.brokers import client_options
from chassis.messaging.topic_reader import Span
from ops.errors import CannotDo
from ops.platform import SERVICES, Platform
from ops.rest import Rest
from ops.topics import START_SECONDS, open_topics, unreadable
from schemas import CATALOGUE

TOPIC_OF = {type_: event.topic for (type_, _), event in CATALOGUE.items()}
"""The topic of each event type."""


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """How far a group is behind in a partition; names are without the prefix of the installation."""

    group: str
    topic: str
    partition: int
    committed: int | None
    """The offset that the group reads next; None if it has committed none yet."""
    end: int
    lag: int


async def summaries(rest: Rest, services: Sequence[str] = SERVICES) -> list[dict[str, Any]]:
    """The summary of each service: its group, the types that it handles, its outbox and its dead letters."""
    return list(await asyncio.gather(*(rest.get(service, "/v1/ops/summary") for service in services)))


async def lags(platform: Platform, handles: Mapping[str, Sequence[str]]) -> list[PartitionLag]:
    """The lag of each group, which handles these event types, in each partition; raise ``CannotDo``."""
    subscriptions = {group: sorted(topics_of(types)) for group, types in handles.items()}
    topics = sorted({topic for group in subscriptions.values() for topic in group})
    # The offsets of the groups first: read the other way round, a group could seem to be ahead of its topic.
    committed = await _committed(platform, list(subscriptions))
    async with open_topics(platform.brokers, platform.kafka_prefix, topics) as opened:
        return [
            _lag(group, opened.name(partition), partition, committed[group], span)
            for group, names in subscriptions.items()
            for partition, span in opened.spans.items()
            if opened.name(partition) in names
        ]


def topics_of(types: Sequence[str]) -> set[str]:
    """The topics of event types; raise ``CannotDo`` for a type that this version does not know."""
    if unknown := sorted(set(types) - TOPIC_OF.keys()):
        raise CannotDo(f"a service handles events that this version of shop does not know: {', '.join(unknown)}")
    return {TOPIC_OF[type_] for type_ in types}


def _lag(
    group: str, topic: str, partition: TopicPartition, committed: Mapping[TopicPartition, int], span: Span
) -> PartitionLag:
    offset = committed.get(partition)
    # A group without an offset begins with the first message, and so does one whose next message was removed.
    position = max(offset if offset is not None else span.first, span.first)
    return PartitionLag(group, topic, partition.partition, offset, span.end, max(0, span.end - position))


async def _committed(platform: Platform, groups: Sequence[str]) -> dict[str, dict[TopicPartition, int]]:
    admin = AIOKafkaAdminClient(**client_options(platform.brokers))
    try:
        async with asyncio.timeout(START_SECONDS):
            await admin.start()
            return {
                group: {
                    partition: found.offset
                    for partition, found in (
                        await admin.list_consumer_group_offsets(platform.kafka_prefix + group)
                    ).items()
                    if found.offset >= 0
                }
                for group in groups
            }
    except (KafkaError, OSError, TimeoutError) as error:
        raise unreadable(platform.brokers, error) from error
    finally:
        await admin.close()
