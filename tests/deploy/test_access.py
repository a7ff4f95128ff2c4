"""Who may do what on Kafka: a broker with users lets in nobody else, and each does what the system map says.

The broker is that of compose.yaml; ``make run`` starts one with the same settings (``deploy/local/kafka.py``).
"""

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from starlette.types import ASGIApp

from chassis.messaging import broker_monitor
from chassis.messaging.broker_monitor import BrokerMonitor
from chassis.messaging.brokers import Brokers, client_options
from chassis.messaging.topic_reader import Span, open_reader
from chassis.persistence.errors import DatabaseUnavailable
from chassis.runtime.background import in_background
from chassis.runtime.health import health_endpoints, operations_app
from deploy.access import Grant, Operation, Resource, grants
from deploy.system import SYSTEM
from deploy.topics import main as create_topics
from tests.alerting import Scrape, fired, of_rules
from tests.compose.composed_kafka import ComposedKafka
from tests.compose.deployment import read_deployment

PREFIX = "granted."
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ComposedKafka]:
    deployment = read_deployment(tmp_path_factory.mktemp("keys"))
    environment = deployment.services["kafka"]["environment"]
    server = ComposedKafka(tmp_path_factory.mktemp("kafka"), environment, deployment.secrets)
    server.prepare()
    server.start()
    server.ready()
    yield server
    server.stop(grace=2)
    # aiokafka's connections that were left behind notice that, and can be removed.
    await asyncio.sleep(0.1)
    gc.collect()


@pytest.fixture(scope="module", autouse=True)
async def _topics(kafka: ComposedKafka) -> None:
    # As the job does, and once more.
    for _ in range(2):
        await asyncio.to_thread(create_topics, kafka.url, PREFIX, 1, grant=True)


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """aiokafka 0.14 leaves behind the connection of a producer that could not start: remove it here."""
    yield
    gc.collect()


@asynccontextmanager
async def producing(url: str) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(**client_options(url), enable_idempotence=True) as producer:
        yield producer


async def consume(url: str, topic: str, group: str) -> None:
    """Commit an offset as a member of a group would."""
    async with AIOKafkaConsumer(**client_options(url), group_id=PREFIX + group, enable_auto_commit=False) as consumer:
        partition = TopicPartition(PREFIX + topic, 0)
        consumer.assign([partition])
        await consumer.end_offsets([partition])
        await consumer.commit({partition: 0})


@pytest.mark.parametrize("name", ["", "nobody", "order_svc"], ids=["anonymous", "unknown", "wrong password"])
async def test_nobody_gets_in_without_the_password_of_a_principal(kafka: ComposedKafka, name: str) -> None:
    url = str(Brokers(kafka.address, "SASL_PLAINTEXT", name, "a guess")) if name else kafka.address
    producer = AIOKafkaProducer(**client_options(url), request_timeout_ms=1000)
    try:
        with pytest.raises((KafkaError, TimeoutError)):
            await producer.start()
    finally:
        await producer.stop()


@pytest.mark.parametrize("service", SYSTEM.services, ids=lambda service: service.name)
async def test_a_service_writes_only_what_it_publishes(kafka: ComposedKafka, service: Any) -> None:
    own = {*service.publishes, service.dead_letter_topic}
    async with producing(kafka.url_of(service.package)) as producer:
        for topic in sorted(own):
            await producer.send_and_wait(PREFIX + topic, b"an event", partition=0)
    foreign = min(topic.name for topic in SYSTEM.topics if topic.name not in own)
    with pytest.raises(TopicAuthorizationFailedError):
        async with producing(kafka.url_of(service.package)) as producer:
            await producer.send_and_wait(PREFIX + foreign, b"forged", partition=0)


@pytest.mark.parametrize("service", SYSTEM.services, ids=lambda service: service.name)
async def test_a_service_consumes_only_what_it_subscribes_to_and_only_in_its_own_group(
    kafka: ComposedKafka, service: Any
) -> None:
    url = kafka.url_of(service.package)
    for topic in service.consumes:
        await consume(url, topic, service.package)
    with pytest.raises(GroupAuthorizationFailedError):
        await consume(url, service.consumes[0], "another_svc")
    readable = {*service.consumes, *service.publishes, service.dead_letter_topic, "customer.events"}
    async with open_reader(url, PREFIX) as reader:
        assert {place[0] for place in await reader.existing([topic.name for topic in SYSTEM.topics])} == readable


async def test_ops_read_everything_and_write_nothing(kafka: ComposedKafka) -> None:
    topics = [topic.name for topic in SYSTEM.topics]
    async with open_reader(kafka.url_of("ops"), PREFIX) as reader:
        assert {place[0] for place in await reader.existing(topics)} == set(topics)
        assert await reader.committed("order_svc")
        async with reader.merged({("order.events", 0): Span(0, 1)}) as chunks:
            assert [one.record.value async for records in chunks for one in records] == [b"an event"]
    with pytest.raises(ClusterAuthorizationFailedError):
        async with producing(kafka.url_of("ops")) as producer:
            await producer.send_and_wait(PREFIX + "order.events", b"forged", partition=0)


def test_nobody_is_granted_to_write_what_another_service_publishes() -> None:
    writers: dict[str, set[str]] = {}
    for grant in grants(SYSTEM):
        if grant.operation is Operation.WRITE:
            writers.setdefault(grant.name, set()).add(grant.principal)
    shared = {topic for topic, names in writers.items() if len(names) > 1}
    assert shared == {"erasure.events"}, "whose types say who publishes them"
    assert Grant("ops", Operation.WRITE, Resource.TOPIC, "order.events") not in set(grants(SYSTEM))


def test_brokers_are_read_as_they_are_written() -> None:
    for text in ("a:1", "a:1,b:2", "SASL_SSL://order_svc:p%40ss%3A%2F@a:1,b:2"):
        assert str(Brokers.parse(text)) == text
    assert Brokers.parse("SASL_PLAINTEXT://u:p%40ss@a:1").password == "p@ss"
    assert "p@ss" not in repr(Brokers.parse("SASL_PLAINTEXT://u:p%40ss@a:1"))
    assert client_options("SASL_SSL://u:p@a:1")["ssl_context"].check_hostname


async def test_the_monitor_of_a_service_may_ask_and_notices_a_broker_that_does_not_answer(
    kafka: ComposedKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("LOOK_SECONDS", 0.05), ("ANSWER_SECONDS", 2.0), ("SILENT_SECONDS", 1.0)):
        monkeypatch.setattr(broker_monitor, name, seconds)
    order = next(service for service in SYSTEM.services if service.name == "order")
    monitor = BrokerMonitor(kafka.url_of(order.package), PREFIX, order.package, order.consumes)
    assert kafka.pid
    operations = operations_app(health_endpoints(order.package, {"kafka": monitor.check}))
    async with asyncio.timeout(60), in_background(monitor.run(), "monitor"):
        await _until_available(monitor, True)
        before = await _metrics(operations)
        os.kill(kafka.pid, signal.SIGSTOP)
        try:
            await _until_available(monitor, False)
            during = await _metrics(operations)
        finally:
            os.kill(kafka.pid, signal.SIGCONT)
        await _until_available(monitor, True)
    assert fired("KafkaUnavailable", before, during) == [{"service": order.package}]


async def _metrics(app: ASGIApp) -> Scrape:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        return of_rules((await client.get("/metrics")).text)


async def _until_available(monitor: BrokerMonitor, wanted: bool) -> None:
    while True:
        try:
            await monitor.check()
        except DatabaseUnavailable:
            if not wanted:
                return
        else:
            if wanted:
                return
        await asyncio.sleep(0.05)
