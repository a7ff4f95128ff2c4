"""Every client of Kafka connects over TLS with SCRAM, as a principal with grants; nobody connects in another way."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import typer
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from chassis.messaging.broker_monitor import BrokerMonitor
from chassis.messaging.brokers import client_options
from chassis.messaging.consumer import Consumer
from chassis.messaging.relay import Relay
from chassis.messaging.subscription import Subscription
from chassis.messaging.topic_reader import open_reader
from chassis.persistence.database import Database
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.runtime.background import in_background
from chassis.testing import enveloped, record
from deploy.access import principals
from deploy.local.kafka import ADMIN
from deploy.system import SYSTEM
from deploy.topics import main as create_topics
from ops.errors import CannotDo
from ops.topics import open_topics
from ops.trace.search import open_search
from tests.chassis.messaging.relayed import write
from tests.chassis.tally import HANDLERS, Tallies, counted, make_tables, tally
from tests.deploy.tls_kafka import TlsKafka
from tests.stack import eventually

PREFIX, PASSWORD = "tls.", "the-password-of-a-test"
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TlsKafka]:
    users = {name: f"{PASSWORD}-{name}" for name in (ADMIN, *principals(SYSTEM))}
    server = TlsKafka(tmp_path_factory.mktemp("tls"), users)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(server.authority))
        server.prepare()
        server.start()
        server.ready()
        await asyncio.to_thread(create_topics, server.url, PREFIX, 1, grant=True)
        yield server
        server.stop(grace=2)
        await asyncio.sleep(0.1)
        gc.collect()


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """aiokafka 0.14 leaves behind the connection of a client that could not start: remove it here."""
    yield
    gc.collect()


async def test_a_service_publishes_consumes_and_watches_the_brokers(kafka: TlsKafka, postgres: Postgres) -> None:
    """The relay of product_svc writes stock.events, order_svc consumes them, and its monitor asks for its lag."""
    database: Database[Any] = postgres
    await make_tables(database)
    commit = GroupCommit(database, Tallies)
    relay = Relay(database, kafka.url_of("product_svc"), PREFIX)
    consumer = Consumer(database, "order_svc", Tallies, HANDLERS)
    subscription = Subscription(consumer, kafka.url_of("order_svc"), PREFIX)
    monitor = BrokerMonitor(kafka.url_of("order_svc"), PREFIX, "order_svc", ["stock.events"])
    async with asyncio.timeout(60), AsyncExitStack() as running:
        for loop in (commit.run, relay.run, subscription.run, monitor.run):
            await running.enter_async_context(in_background(loop(), loop.__qualname__))
        await subscription.assigned.wait()
        await write(database, commit, "A", 1)
        await publish_as_product_svc(kafka, "B")

        async def consumed() -> bool:
            found = await tally(database, "B")
            return bool(found and found.total)

        await eventually(consumed, 30, "the event")
        await monitor.check()
    async with open_reader(kafka.url_of("ops"), PREFIX) as reader:
        [end] = (await reader.spans([("stock.events", 0)])).values()
        assert end.end == 2, "the relay's, and that of this test"


async def publish_as_product_svc(kafka: TlsKafka, sku: str) -> None:
    message = record(enveloped(counted(sku)))
    async with AIOKafkaProducer(**client_options(kafka.url_of("product_svc"))) as producer:
        await producer.send_and_wait(
            f"{PREFIX}stock.events", message.value, key=message.key, headers=list(message.headers)
        )


async def test_shop_and_the_audit_read_as_ops(kafka: TlsKafka) -> None:
    async with open_topics(kafka.url_of("ops"), PREFIX) as topics:
        assert topics
    async with open_search(kafka.url_of("ops"), PREFIX, 10) as search:
        assert search
    with pytest.raises(CannotDo, match="has no topic") as missing:
        async with open_topics(kafka.url_of("ops"), "elsewhere."):
            pass
    assert PASSWORD not in str(missing.value)


@pytest.mark.parametrize("protocol", ["SASL_SSL", "SASL_PLAINTEXT"])
async def test_a_broker_that_is_not_trusted_and_a_client_without_tls_do_not_connect(
    protocol: str, kafka: TlsKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    if protocol == "SASL_SSL":
        monkeypatch.delenv("SSL_CERT_FILE")
    consumer = AIOKafkaConsumer(**client_options(kafka.url_of("ops", protocol)), request_timeout_ms=1000)
    try:
        with pytest.raises((KafkaError, TimeoutError)):
            await consumer.start()
    finally:
        await consumer.stop()


def test_the_job_says_that_it_cannot_connect(
    kafka: TlsKafka, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(typer.Exit) as ended:
        create_topics(kafka.url, PREFIX, 1)
    assert ended.value.exit_code == 1
    error = capsys.readouterr().err
    assert error.startswith(f"cannot create topics on {kafka.address}: ")
    assert PASSWORD not in error
