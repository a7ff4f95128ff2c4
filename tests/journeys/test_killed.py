"""Event processes are killed under a stream of orders: nothing is lost, duplicated or oversold."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.stack import ABOUT_ORDERS, Stack, all_items, eventually

WORKERS = ("customer-worker", "product-worker", "order-worker", "notifier-worker")
ENDED = {"CONFIRMED", "REJECTED", "CANCELLED"}


@dataclass
class Stream:
    """A client that places orders one after another until it is stopped."""

    shop: Stack
    skus: list[str]
    who: Mapping[str, str]
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    placed: dict[str, dict[str, int]] = field(default_factory=dict)
    """Location → lines."""

    async def run(self, rng: random.Random) -> None:
        while not self.stopped.is_set():
            lines = {sku: rng.randint(1, 3) for sku in rng.sample(self.skus, 2)}
            response = await self.shop.order(self.who, lines, key=uuid4().hex)
            assert response.status_code == 202, response.text
            self.placed[response.headers["location"]] = lines
            await asyncio.sleep(rng.uniform(0.03, 0.09))


async def test_event_processes_are_killed_repeatedly(shop: Stack) -> None:
    rng = random.Random(20261122)
    email, customer = await shop.customer()
    # The stock of the last SKU is too small for all orders, so that they compete for it.
    skus = [await shop.product(on_hand=100_000) for _ in range(3)] + [await shop.product(on_hand=60)]
    stream = Stream(shop, skus, customer)
    placing = asyncio.create_task(stream.run(rng))
    for _ in range(3):
        for name in rng.sample(WORKERS, len(WORKERS)):
            await asyncio.sleep(rng.uniform(0.1, 0.6))
            await shop.kill(name)
        await shop.start(*WORKERS)
    stream.stopped.set()
    await placing
    assert len(stream.placed) > 100

    orders = await all_ended(shop, customer, stream.placed)
    await assert_stock_conserved(shop, skus, orders)
    assert_each_event_once(await timelines(shop, customer, stream.placed))
    await assert_one_mail_an_order(shop, email, customer, len(stream.placed))


async def test_a_stop_by_sigterm_leaves_no_mail_in_doubt(shop: Stack) -> None:
    rng = random.Random(7)
    email, customer = await shop.customer()
    stream = Stream(shop, [await shop.product(on_hand=10_000) for _ in range(2)], customer)
    placing = asyncio.create_task(stream.run(rng))
    for _ in range(2):
        await asyncio.sleep(rng.uniform(0.5, 1.5))
        await shop.kill("notifier-worker", signal.SIGTERM)
        assert shop.child("notifier-worker").exit_status == 0
        await shop.start("notifier-worker")
    stream.stopped.set()
    await placing
    await timelines(shop, customer, stream.placed)
    assert {mail["copies"] for mail in await shop.mails(email)} == {1}
    assert {n["doubts"] async for n in all_of(shop, "notifier", "/v1/notifications", customer)} == {0}


async def all_ended(shop: Stack, who: Mapping[str, str], placed: Mapping[str, Any]) -> list[dict[str, Any]]:
    async def ended() -> list[dict[str, Any]] | None:
        orders = [order async for order in all_of(shop, "order", "/v1/orders", who)]
        return orders if {order["state"] for order in orders} <= ENDED else None

    orders: list[dict[str, Any]] = await eventually(ended, 120, "every order to end", pause=1)
    assert {f"/v1/orders/{order['id']}" for order in orders} == set(placed), "every order that was accepted, once"
    return orders


def all_of(shop: Stack, service: str, path: str, who: Mapping[str, str]) -> AsyncIterator[dict[str, Any]]:
    return all_items(lambda page: shop.read(service, page, who), path)


async def timelines(shop: Stack, who: Mapping[str, str], placed: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}

    async def complete() -> bool:
        for location in placed.keys() - found.keys():
            timeline = await shop.read("order", f"{location}/timeline", who)
            if any(entry["type"].startswith("notification.") for entry in timeline["entries"]):
                found[location] = timeline
        return len(found) == len(placed)

    await eventually(complete, 120, "every mail to be in its timeline", pause=1)
    return list(found.values())


async def assert_stock_conserved(shop: Stack, skus: list[str], orders: list[dict[str, Any]]) -> None:
    reserved_by_orders: Counter[str] = Counter()
    for order in orders:
        if order["state"] == "CONFIRMED":
            reserved_by_orders.update({line["sku"]: line["quantity"] for line in order["lines"]})
    for sku in skus:
        on_hand, reserved = await shop.stock(sku)
        assert reserved == reserved_by_orders[sku] <= on_hand, sku
    # Two pieces of the scarce SKU may be left, if the next order needs three.
    on_hand, reserved = await shop.stock(skus[-1])
    assert on_hand - reserved <= 2, "no order was rejected while there was stock"


def assert_each_event_once(timelines: list[dict[str, Any]]) -> None:
    for timeline in timelines:
        kinds = Counter(entry["type"] for entry in timeline["entries"])
        assert set(kinds.values()) == {1}, timeline
        assert len(kinds) == 4, timeline


async def assert_one_mail_an_order(shop: Stack, email: str, who: Mapping[str, str], orders: int) -> None:
    mails = await shop.mails(email, ABOUT_ORDERS)
    assert len(mails) == orders == len({mail["message_id"] for mail in mails})
    doubts = [n["doubts"] async for n in all_of(shop, "notifier", "/v1/notifications", who)]
    # Only a mail in doubt is sent again, and that is counted.
    assert sum(mail["copies"] - 1 for mail in mails) <= sum(doubts)
