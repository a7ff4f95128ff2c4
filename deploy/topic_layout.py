"""How an installation stores its topics, what a production demands of that, and what existing topics differ in."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from deploy.resources import Topic

RETENTION, MIN_INSYNC = "retention.ms", "min.insync.replicas"
CHECKED = (RETENTION, MIN_INSYNC, "retention.bytes", "cleanup.policy")


@dataclass(frozen=True)
class Layout:
    """Partitions and copies of all topics."""

    partitions: int | None = None
    """Of each topic, instead of those of the system map."""
    replication: int = 1
    """Copies of each partition."""
    min_insync: int | None = None
    """So many copies confirm an event. By default all but one, which may be lost, or late."""

    @property
    def confirming(self) -> int:
        """So many copies confirm an event."""
        return self.min_insync or max(1, self.replication - 1)

    def partitions_of(self, topic: Topic) -> int:
        """How many partitions a topic has."""
        return self.partitions or topic.partitions

    def new_topic(self, topic: Topic, prefix: str) -> NewTopic:
        """What is requested of Kafka."""
        configs = {RETENTION: str(topic.retention_ms), MIN_INSYNC: str(self.confirming)}
        return NewTopic(prefix + topic.name, self.partitions_of(topic), self.replication, topic_configs=configs)

    def check(self, *, production: bool) -> None:
        """Raise ``ValueError``, which names a setting, where events could be lost or could not be published."""
        if self.confirming > self.replication:
            raise ValueError("KAFKA_MIN_INSYNC_REPLICAS: is more than KAFKA_REPLICATION")
        if production and self.replication < 2:
            raise ValueError("KAFKA_REPLICATION: one copy is lost with its disk, and SHOP_ENV is production")
        if production and self.confirming < 2:
            raise ValueError(
                "KAFKA_MIN_INSYNC_REPLICAS: what one copy confirms is lost with its disk, and SHOP_ENV is production"
            )


async def differences(
    client: AIOKafkaAdminClient, topics: Collection[Topic], prefix: str, layout: Layout
) -> list[str]:
    """Return in which ways these topics, which exist, keep events less well than is wanted; raise ``KafkaError``."""
    by_name = {prefix + topic.name: topic for topic in topics}
    if not by_name:
        return []
    configs = await _configs(client, by_name)
    found = []
    for described in sorted(await client.describe_topics(list(by_name)), key=lambda one: str(one["topic"])):
        name = described["topic"]
        if described["error_code"]:
            raise for_code(described["error_code"])(name)
        found += [f"{name}: {one}" for one in _copies(described["partitions"], by_name[name], layout)]
        found += [f"{name}: {one}" for one in _settings(configs[name], by_name[name], layout)]
    return found


def _copies(partitions: Collection[Mapping[str, Any]], topic: Topic, layout: Layout) -> Iterator[str]:
    wanted = layout.partitions_of(topic)
    if len(partitions) < wanted:
        yield f"{len(partitions)} partitions instead of {wanted}"
    copies = min(len(one["replicas"]) for one in partitions)
    if copies < layout.replication:
        yield f"{copies} copies of a partition instead of {layout.replication}"


def _settings(configs: Mapping[str, str], topic: Topic, layout: Layout) -> Iterator[str]:
    if int(configs[MIN_INSYNC]) < layout.confirming:
        yield f"{MIN_INSYNC} is {configs[MIN_INSYNC]} instead of {layout.confirming}"
    if configs["cleanup.policy"] != "delete":
        yield f"cleanup.policy is {configs['cleanup.policy']}: Kafka removes older events of the same key"
    for name, wanted in ((RETENTION, topic.retention_ms), ("retention.bytes", -1)):
        if _keeps_less(int(configs[name]), wanted):
            yield f"{name} is {configs[name]} instead of {wanted}: Kafka removes events"


def _keeps_less(value: int, wanted: int) -> bool:
    """-1 keeps everything."""
    return value != -1 and (wanted == -1 or value < wanted)


async def _configs(client: AIOKafkaAdminClient, names: Collection[str]) -> dict[str, dict[str, str]]:
    """Topic → the settings that apply to it, its own or the broker's."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(CHECKED)) for name in names]
    found: dict[str, dict[str, str]] = {}
    for response in await client.describe_configs(resources):
        for code, message, _, name, entries in response.resources:
            if code:
                raise for_code(code)(f"{name}: {message}")
            found[name] = {entry[0]: entry[1] for entry in entries}
    return found
