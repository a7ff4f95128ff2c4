"""Kafka goes away for a minute: orders are accepted all the same, and finish once it is back."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from deploy.local.kafka import Kafka
from tests.databases import Databases
from tests.servers import Servers, run
from tests.stack import ABOUT_ORDERS, Stack, eventually, stack

AWAY_SECONDS = 60


@pytest.fixture
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A broker that nobody else needs."""
    with ExitStack() as ended:
        broker = Kafka(tmp_path_factory.mktemp("kafka"))
        run(broker, ended)
        yield broker


@pytest.fixture
async def shop(
    kafka: Kafka, servers: Servers, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    async with stack(replace(servers, kafka=kafka.url), databases, tmp_path_factory.mktemp("shop")) as running:
        yield running


async def test_orders_outlive_a_minute_without_a_broker(shop: Stack, kafka: Kafka) -> None:
    email, customer = await shop.customer()
    sku = await shop.product(on_hand=1000)
    # The price list travels by Kafka too: have one order through before the broker goes.
    locations = [(await shop.order(customer, {sku: 1})).headers["location"]]
    await asyncio.to_thread(kafka.stop, 0)
    # Who is told to stop meanwhile does not wait for the broker.
    await shop.kill("product-worker", signal.SIGTERM)
    assert shop.child("product-worker").exit_status == 0
    back = time.monotonic() + AWAY_SECONDS
    while time.monotonic() < back:
        placed = await shop.order(customer, {sku: 1})
        assert placed.status_code == 202, placed.text
        locations.append(placed.headers["location"])
        await asyncio.sleep(1)
    await asyncio.to_thread(kafka.start)
    await asyncio.to_thread(kafka.ready)
    await shop.start("product-worker")

    async def all_mailed() -> bool:
        return len(await shop.mails(email, ABOUT_ORDERS)) == len(locations)

    await eventually(all_mailed, 90, "every receipt")
    orders = (await shop.read("order", "/v1/orders?limit=200", customer))["items"]
    assert {order["state"] for order in orders} == {"CONFIRMED"}
    assert len(orders) == len(locations) > AWAY_SECONDS // 3
    assert all(child.running for child in shop.children.values()), "no process ended of it"
