"""Faults of databases, brokers and handlers raise the alerts that are meant for them."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client import REGISTRY

from chassis.messaging import broker_monitor
from chassis.messaging.broker_monitor import BrokerMonitor
from chassis.messaging.consumer import Consumer
from chassis.messaging.relay import Relay
from chassis.messaging.store_gauges import StoreGauges
from chassis.persistence.database import Database
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.runtime.background import in_background
from chassis.runtime.bounded_http import HttpLimits
from chassis.runtime.health import health_endpoints, operations_app
from chassis.runtime.server import serving_operations
from chassis.testing import records
from deploy.local.ports import free_port
from tests.alerting import Scrape, fired, of_rules, scrape
from tests.chassis.messaging.relayed import write
from tests.chassis.tally import HANDLERS, Tallies, counted
from tests.faults.proxy import Proxy
from tests.servers import Servers
from tests.stack import eventually

SERVICE, TOPIC = "tally_svc", "stock.events"


@pytest.fixture
async def proxy(postgres_url: str) -> AsyncIterator[Proxy]:
    """In front of the database."""
    address = httpx.URL(postgres_url)
    assert address.port
    found = Proxy(address.host, address.port, free_port())
    await found.start()
    yield found
    await found.stop()


async def test_a_database_that_is_away_is_alerted_and_so_is_the_relay_that_it_stops(
    postgres_url: str, proxy: Proxy, servers: Servers, prefix: str
) -> None:
    database: Database[Any] = Postgres(postgres_url.replace(f":{proxy.port}/", f":{proxy.listen_port}/"))
    transport = httpx.ASGITransport(operations_app(health_endpoints(SERVICE, {"database": database.check})))

    async def metrics() -> Scrape:
        return of_rules((await client.get("/metrics")).text)

    async def leads(wanted: float) -> bool:
        return (await metrics())["shop_relay_leads", frozenset({("service", SERVICE)})] == wanted

    client, relay = (
        httpx.AsyncClient(transport=transport, base_url="http://x"),
        Relay(database, servers.kafka, prefix),
    )
    async with client, in_background(relay.run(), "relay"):
        await eventually(lambda: leads(1), 30, "a relay")
        before = await metrics()
        await proxy.stop()
        await eventually(lambda: leads(0), 30, "the relay to stop")
        during = await metrics()
    await database.close()
    assert fired("DatabaseUnavailable", before, during) == [{"service": SERVICE}]
    assert fired("NoRelay", before, during) == [{"service": SERVICE}]
    assert fired("NoRelay", during, before) == []


async def test_a_process_that_ends_is_alerted() -> None:
    """As Prometheus scrapes it: what it says itself about a target is whether that has answered."""
    port, app = free_port(), operations_app(health_endpoints(SERVICE, {}))

    async def up() -> Scrape:
        try:
            answered = (await client.get(f"http://127.0.0.1:{port}/metrics")).status_code == 200
        except httpx.ConnectError:
            answered = False
        labels = {"job": "shopstream", "instance": f"127.0.0.1:{port}"}
        return {("up", frozenset(labels.items())): float(answered)}

    async def is_up() -> bool:
        return 1.0 in (await up()).values()

    async with httpx.AsyncClient() as client:
        async with serving_operations(app, HttpLimits(10, 10, 10), "127.0.0.1", port):
            await eventually(is_up, 10, "the process")
            before = await up()
        assert fired("ProcessDown", before, await up()) == [{"job": "shopstream", "instance": f"127.0.0.1:{port}"}]


async def test_events_that_cannot_be_published_are_alerted(database: Database[Any], prefix: str) -> None:
    gauges = StoreGauges(database, SERVICE)
    await gauges.measure_outbox()
    before, nobody = scrape(SERVICE), f"127.0.0.1:{free_port()}"
    commit = GroupCommit(database, Tallies)
    # Its events say that they happened at the beginning of the year.
    async with in_background(commit.run(), "commit"), in_background(Relay(database, nobody, prefix).run(), "relay"):
        await write(database, commit, "A", 1)
    await gauges.measure_outbox()
    assert fired("EventsNotPublished", before, scrape(SERVICE)) == [{"service": SERVICE}]


async def test_events_that_nobody_consumes_are_alerted(
    servers: Servers, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(broker_monitor, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(broker_monitor, "time", SimpleNamespace(monotonic=lambda: now))
    monitor = BrokerMonitor(servers.kafka, prefix, "idle_svc", [TOPIC])

    def value(name: str) -> float | None:
        return REGISTRY.get_sample_value(name, {"group": "idle_svc", "topic": TOPIC})

    async def behind(events: float, seconds: float) -> bool:
        return value("shop_consumer_lag") == events and (value("shop_consumer_lag_seconds") or 0.0) >= seconds

    async with in_background(monitor.run(), "monitor"):
        await eventually(lambda: behind(0, 0), 30, "the first look")
        before = scrape(SERVICE)
        async with AIOKafkaProducer(bootstrap_servers=servers.kafka) as producer:
            await producer.send_and_wait(f"{prefix}{TOPIC}", b"{}", partition=0)
        await eventually(lambda: behind(1, 0), 30, "the event")
        now += 121
        await eventually(lambda: behind(1, 121), 30, "it to be old")
    assert fired("EventsNotConsumed", before, scrape(SERVICE)) == [{"group": "idle_svc", "topic": TOPIC}]


async def test_an_event_that_cannot_be_handled_is_alerted_and_so_are_those_behind_it(database: Database[Any]) -> None:
    group = f"broken_{type(database).__name__.lower()}"
    gauges = StoreGauges(database, group)
    await gauges.count_letters()
    before, consumer = scrape(SERVICE), Consumer(database, group, Tallies, HANDLERS, tries=1)
    await consumer.handle(records([counted("B", "bug")]))
    await gauges.count_letters()
    alone = scrape(SERVICE)
    assert fired("DeadLettersLie", before, alone) == [{"group": group, "topic": TOPIC}]
    await consumer.handle(records([counted("B", "two")]))
    await gauges.count_letters()
    assert fired("DeadLetterHoldsUpOthers", alone, scrape(SERVICE)) == [{"group": group, "topic": TOPIC}]
