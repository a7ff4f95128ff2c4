"""What is done to one platform in every run of the tests: a cut of the matrix, a minute without a broker, a race.

In one file, so that one platform serves all of it. ``make faults`` plays the whole matrix.
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
from tests.faults.deeds import comes_to
from tests.faults.matrix import Cell, cut, matrix
from tests.faults.play import Outcome, play, read_outcome
from tests.faults.world import World
from tests.stack import ABOUT_ORDERS, Stack, eventually

AWAY_SECONDS = 60
CLIENTS, UNITS = 500, 50
HANDLED = re.compile(r'^shop_events_handled_total\{[^}]*outcome="done"[^}]*topic="order.events"[^}]*\} (\S+)$', re.M)


@pytest.mark.parametrize("cell", list(cut()), ids=lambda cell: cell.name)
async def test_nothing_is_lost_doubled_or_oversold(world: World, cell: Cell) -> None:
    outcome = await play(world, cell, random.Random(20261122))
    assert not outcome.findings
    assert outcome.orders


async def test_orders_outlive_a_minute_without_a_broker(world: World) -> None:
    shop = world.shop
    email, customer = await shop.customer()
    sku = await shop.product(on_hand=1000)
    # The price list travels by Kafka too: have one order through before the broker goes.
    locations = [(await shop.order(customer, {sku: 1})).headers["location"]]
    await world.crash("kafka")
    # Who is told to stop meanwhile does not wait for the broker.
    await world.kill("product-worker", number=signal.SIGTERM)
    assert shop.child("product-worker").exit_status == 0
    back = time.monotonic() + AWAY_SECONDS
    while time.monotonic() < back:
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
    assert len(orders) == len(locations) > AWAY_SECONDS // 3
    assert all(child.running for child in shop.children.values()), "no process ended of it"


@pytest.fixture(params=[1, 2, 3], ids=lambda count: f"{count} processes")
async def workers(request: pytest.FixtureRequest, world: World) -> AsyncIterator[list[str]]:
    """So many event processes of product_svc, each with partitions of its own."""
    more = [await world.one_more("product-worker") for _ in range(request.param - 1)]
    yield ["product-worker", *more]
    for name in more:
        await world.kill(name, number=signal.SIGTERM)
        del world.shop.children[name]


async def test_exactly_what_is_there_is_promised(world: World, workers: list[str]) -> None:
    shop = world.shop
    customers = [await shop.customer() for _ in range(5)]
    sku = await shop.product(on_hand=UNITS)
    before = [await handled(shop, name) for name in workers]
    tokens = [who["Authorization"].removeprefix("Bearer ") for _, who in customers]
    load = Load(shop.urls["order"], tokens, lambda _: {sku: 1})
    await load.closed(CLIENTS, count=CLIENTS)
    assert len(set(load.placed.values())) == CLIENTS

    orders = [order for _, who in customers for order in await all_ended(shop, who, CLIENTS // len(customers))]
    assert Counter(order["state"] for order in orders) == {"CONFIRMED": UNITS, "REJECTED": CLIENTS - UNITS}
    short = [order["shortages"] for order in orders if order["state"] == "REJECTED"]
    nothing_left = {"sku": sku, "requested": 1, "available": 0, "reason": "short"}
    assert short == [[nothing_left]] * len(short), "nobody was refused what was there"
    assert await shop.stock(sku) == (UNITS, UNITS)
    after = [await handled(shop, name) for name in workers]
    assert all(count > earlier for count, earlier in zip(after, before, strict=True)), "each process took part"


async def all_ended(shop: Stack, who: dict[str, str], count: int) -> list[dict[str, Any]]:
    async def ended() -> list[dict[str, Any]] | None:
        orders = (await shop.read("order", "/v1/orders?limit=200", who))["items"]
        return orders if len(orders) == count and all(order["state"] != "PENDING" for order in orders) else None

    found: list[dict[str, Any]] = await eventually(ended, 120, "every order to end", pause=0.3)
    return found


async def handled(shop: Stack, name: str) -> float:
    """How many events of orders an event process has handled."""
    metrics = (await shop.http.get(f"{shop.urls[name]}/metrics")).text
    return sum(float(count) for count in HANDLED.findall(metrics))


def test_every_fault_point_has_processes_that_come_to_it() -> None:
    assert all(comes_to(point) for point in POINTS)


def test_no_two_cells_have_the_same_name() -> None:
    names = [cell.name for cell in matrix()]
    assert len(names) == len(set(names))


def test_an_outcome_is_read_as_it_was_kept() -> None:
    outcome = Outcome("a cell", Counter({"SIGKILL": 2}), 7, 1, 0.5, ("something",))
    assert read_outcome(orjson.dumps(outcome)) == outcome
