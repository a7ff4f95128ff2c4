"""Faults that every test run plays on one platform: a selection of the matrix, a minute without a broker, a race
for stock.

All in one file, so that they share the platform. ``make faults`` plays the whole matrix.
"""

import asyncio
import random
import re
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from bench.load import Load
from chassis.runtime.failpoints import POINTS
from tests.faults.fault_actions import reached_by
from tests.faults.matrix import OF_OPS, Cell, matrix, selection
from tests.faults.play import Outcome, play, read_outcome
from tests.faults.world import World
from tests.stack import ABOUT_ORDERS, Stack, eventually

OUTAGE_SECONDS = 60
CLIENTS, UNITS = 500, 50
HANDLED = re.compile(r'^shop_events_handled_total\{[^}]*outcome="done"[^}]*topic="order.events"[^}]*\} (\S+)$', re.M)


@pytest.mark.parametrize("cell", list(selection()), ids=lambda cell: cell.name)
async def test_nothing_is_lost_doubled_or_oversold(world: World, cell: Cell) -> None:
    outcome = await play(world, cell, random.Random(20261122))
    assert not outcome.findings
    assert outcome.orders


async def test_orders_survive_a_minute_without_a_broker(world: World) -> None:
    shop = world.shop
    email, customer = await shop.customer()
    sku = await shop.product(on_hand=1000)
    # Prices are also replicated through Kafka: complete one order before the broker goes down.
    locations = [(await shop.order(customer, {sku: 1})).headers["location"]]
    await world.crash("kafka")
    # A process that is stopped meanwhile does not wait for the broker.
    await world.kill("product-worker", number=signal.SIGTERM)
    assert shop.child("product-worker").exit_status == 0
    end = time.monotonic() + OUTAGE_SECONDS
    while time.monotonic() < end:
        placed = await shop.order(customer, {sku: 1})
        assert placed.status_code == 202, placed.text
        locations.append(placed.headers["location"])
        await asyncio.sleep(1)
    await world.revive("kafka")
    await shop.start("product-worker")

    async def all_mailed() -> bool:
        return len(await shop.mails(email, ABOUT_ORDERS)) == len(locations)

    await eventually(all_mailed, 90, "every receipt")
    orders = (await shop.read("order", "/v1/orders?limit=200", customer))["items"]
    assert {order["state"] for order in orders} == {"CONFIRMED"}
    assert len(orders) == len(locations) > OUTAGE_SECONDS // 3
    assert all(child.running for child in shop.children.values()), "no process has exited"


@pytest.fixture(params=[1, 2, 3], ids=lambda count: f"{count} processes")
async def workers(request: pytest.FixtureRequest, world: World) -> AsyncIterator[list[str]]:
    """Event processes of product_svc, each with partitions of its own."""
    more = [await world.start_another("product-worker") for _ in range(request.param - 1)]
    yield ["product-worker", *more]
    for name in more:
        await world.kill(name, number=signal.SIGTERM)
        del world.shop.children[name]


async def test_exactly_the_available_stock_is_reserved(world: World, workers: list[str]) -> None:
    shop = world.shop
    customers = [await shop.customer() for _ in range(5)]
    sku = await shop.product(on_hand=UNITS)
    before = [await handled(shop, name) for name in workers]
    tokens = [who["Authorization"].removeprefix("Bearer ") for _, who in customers]
    load = Load(shop.urls["order"], tokens, lambda _: {sku: 1})
    await load.closed_loop(CLIENTS, count=CLIENTS)
    assert len(set(load.placed.values())) == CLIENTS

    orders = [order for _, who in customers for order in await all_ended(shop, who, CLIENTS // len(customers))]
    assert Counter(order["state"] for order in orders) == {"CONFIRMED": UNITS, "REJECTED": CLIENTS - UNITS}
    short = [order["shortages"] for order in orders if order["state"] == "REJECTED"]
    nothing_left = {"sku": sku, "requested": 1, "available": 0, "reason": "short"}
    assert short == [[nothing_left]] * len(short), "no order was rejected while there was stock"
    assert await shop.stock(sku) == (UNITS, UNITS)
    after = [await handled(shop, name) for name in workers]
    assert all(count > earlier for count, earlier in zip(after, before, strict=True)), "each process handled events"


async def all_ended(shop: Stack, who: dict[str, str], count: int) -> list[dict[str, Any]]:
    async def ended() -> list[dict[str, Any]] | None:
        orders = (await shop.read("order", "/v1/orders?limit=200", who))["items"]
        return orders if len(orders) == count and all(order["state"] != "PENDING" for order in orders) else None

    found: list[dict[str, Any]] = await eventually(ended, 120, "every order to end", pause=0.3)
    return found


async def handled(shop: Stack, name: str) -> float:
    """How many order events an event process has handled."""
    metrics = (await shop.http.get(f"{shop.urls[name]}/metrics")).text
    return sum(float(count) for count in HANDLED.findall(metrics))


def test_every_fail_point_is_reached_by_some_process() -> None:
    assert all(reached_by(point) for point in POINTS if point.partition(".")[0] not in OF_OPS)


def test_the_names_of_cells_are_unique() -> None:
    names = [cell.name for cell in matrix()]
    assert len(names) == len(set(names))


def test_a_stored_outcome_can_be_read() -> None:
    outcome = Outcome("a cell", Counter({"SIGKILL": 2}), 7, 1, 0.5, ("something",))
    assert read_outcome(orjson.dumps(outcome)) == outcome
