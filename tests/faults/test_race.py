"""500 clients race for 50 units, answered by one, two and three event processes of product_svc."""

import re
import signal
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bench.load import Load
from tests.faults.world import World
from tests.stack import Stack, eventually

CLIENTS, UNITS = 500, 50
HANDLED = re.compile(r'^shop_events_handled_total\{[^}]*outcome="done"[^}]*topic="order.events"[^}]*\} (\S+)$', re.M)


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
