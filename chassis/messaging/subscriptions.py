"""Where a group has begun to read each of its topics.

A topic that an existing group subscribes to for the first time begins at its end: its history may be years old, and
its mails would all be sent. ``shop replay`` brings the history, where that is wanted. A new group begins at the
beginning of everything. The offsets are kept here, and not moved in Kafka: a partition that is added later is read
from its beginning, and a topic that was empty so far is not begun at its end by mistake.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

import structlog

from chassis.messaging.topic_reader import open_reader

Starts = Mapping[str, Mapping[int, int]]
"""Topic → partition → the first offset that is handled; from the beginning where there is none."""

log = structlog.get_logger()


class Subscriptions(Protocol):
    """The subscriptions that a database knows."""

    async def load(self, group: str) -> Starts:
        """The topics that the group has subscribed to."""
        ...

    async def add(self, group: str, starts: Starts) -> None:
        """Add topics; those that are known already stay as they are."""
        ...


async def begin(
    subscriptions: Subscriptions, group: str, topics: Collection[str], bootstrap_servers: str, prefix: str
) -> Starts:
    """Where to begin each topic; decided at the first start that subscribes to it, by one process for all."""
    known = await subscriptions.load(group)
    new = sorted(set(topics) - set(known))
    if not known:
        # A new group; or a group of a release that kept no such record, which has read all of its topics.
        await subscriptions.add(group, {topic: {} for topic in new})
    elif new:
        await subscriptions.add(group, await _ends(bootstrap_servers, prefix, new))
        for topic in new:
            log.warning(
                "topic begun at its end",
                topic=topic,
                history=f"shop replay plan {group} --topic {topic} --why '…'",
            )
    return await subscriptions.load(group)


async def _ends(bootstrap_servers: str, prefix: str, topics: Collection[str]) -> Starts:
    async with open_reader(bootstrap_servers, prefix) as reader:
        existing = await reader.existing(topics)
    ends: dict[str, dict[int, int]] = {topic: {} for topic in topics}
    for (topic, partition), span in existing.items():
        ends[topic][partition] = span.end
    return ends
