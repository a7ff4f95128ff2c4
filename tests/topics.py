"""Topics that exist for one test, or for the tests of a module."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from uuid import uuid4

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.system import SYSTEM
from deploy.topics import create_topics


@asynccontextmanager
async def topics(kafka: str, partitions: int | None = None, *, prefix: str = "") -> AsyncIterator[str]:
    """The topics of the system, behind a prefix; deleted in the end.

    A client that starts is told of every topic that there is: each test would take longer than the one before.
    """
    prefix = prefix or f"t{uuid4().hex[:12]}."
    await create_topics(kafka, prefix, partitions)
    try:
        yield prefix
    finally:
        await _delete(kafka, [prefix + topic.name for topic in SYSTEM.topics])


@asynccontextmanager
async def topic(kafka: str, name: str, partitions: int) -> AsyncIterator[str]:
    """One topic, behind a prefix; deleted in the end."""
    prefix = f"t{uuid4().hex[:12]}."
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(prefix + name, partitions, 1)])
    await admin.close()
    try:
        yield prefix
    finally:
        await _delete(kafka, [prefix + name])


async def _delete(kafka: str, names: Collection[str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.delete_topics(list(names))
    await admin.close()
