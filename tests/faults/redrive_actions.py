"""What the cells of the matrix do to redrives while they run."""

from collections.abc import Mapping
from typing import Any

import psycopg
from pymongo import AsyncMongoClient

from tests.faults.fault_actions import Action
from tests.faults.world import PATIENCE, World
from tests.ops_jobs import letters, post, settled
from tests.stack import OPS, Stack, eventually

ORDERS = 6
RULE = "ALTER TABLE orders ADD CONSTRAINT a_bug CHECK (id NOT IN ({})) NOT VALID"


async def into_order_svc(world: World) -> None:
    """The stock of some orders is reserved while order_svc cannot store that; redrive under kills."""
    shop, (_, customer), sku = world.shop, await world.shop.customer(), await world.shop.product(on_hand=ORDERS)
    await world.kill("product-worker")
    orders = [await _order(shop, customer, sku) for _ in range(ORDERS)]
    # A bug in these orders alone.
    await _sql(shop, RULE.format(", ".join(f"'{order.rpartition('/')[2]}'" for order in orders)))
    await shop.start("product-worker")
    await _dead_lettered(world, "order")
    await _sql(shop, "ALTER TABLE orders DROP CONSTRAINT a_bug")
    await _redrive_under_kills(world, "order")
    await _all_ended(shop, customer, orders)


async def into_product_svc(world: World) -> None:
    """Orders are placed, and some cancelled, while product_svc cannot reserve for them; redrive under kills."""
    shop, (_, customer), sku = world.shop, await world.shop.customer(), await world.shop.product(on_hand=ORDERS)
    await _validate(shop, {"_id": {"$ne": sku}})
    orders = [await _order(shop, customer, sku) for _ in range(ORDERS)]
    await _dead_lettered(world, "product")
    for order in orders[::2]:
        cancelled = await shop.http.post(f"{shop.urls['order']}{order}/cancel", headers=dict(customer))
        assert cancelled.is_success, cancelled.text
    await _validate(shop, {})
    await _redrive_under_kills(world, "product")
    await _all_ended(shop, customer, orders)

    async def reserved_once() -> bool:
        # A cancellation may have arrived only after the letters of its order were redriven.
        return await shop.stock(sku) == (ORDERS, ORDERS // 2)

    await eventually(reserved_once, PATIENCE, "half of the stock to be reserved", pause=0.2)


def killed_at_every_point(service: str) -> Action:
    """Redrive letters of a group; its event process is killed at each point."""
    return {"order": into_order_svc, "product": into_product_svc}[service]


async def _order(shop: Stack, customer: Mapping[str, str], sku: str) -> str:
    async def placed() -> str | None:
        # The product may not be in the replica yet.
        response = await shop.order(customer, {sku: 1})
        return response.headers["location"] if response.is_success else None

    return str(await eventually(placed, PATIENCE, "an order to be placed", pause=0.2))


async def _dead_lettered(world: World, service: str) -> None:
    who = await world.shop.log_in(*OPS)

    async def lying() -> bool:
        return len(await letters(world.shop, who, service)) == ORDERS

    await eventually(lying, PATIENCE, f"{ORDERS} dead letters of {service}_svc", pause=0.2)


async def _redrive_under_kills(world: World, service: str) -> None:
    worker, who = f"{service}-worker", await world.shop.log_in(*OPS)
    await world.doom(worker, "redrive.commit.before")
    job = await post(world.shop, who, service, "redrives", {"all": True})
    await world.died(worker)
    await world.doom(worker, "redrive.commit.after")
    await world.died(worker)
    await world.shop.start(worker)
    job = await settled(world.shop, who, service, f"redrives/{job['id']}", "running", "planning")
    assert (job["state"], job["streams"], job["failed"], job["skipped"]) == ("done", ORDERS, 0, 0), job
    left = await letters(world.shop, who, service)
    assert not left, f"dead letters are left: {left}"
    world.done["letters redriven"] += job["brought"]


async def _all_ended(shop: Stack, customer: Mapping[str, str], orders: list[str]) -> None:
    async def ended() -> bool:
        states = [(await shop.read("order", order, customer))["state"] for order in orders]
        return set(states) <= {"CONFIRMED", "CANCELLED"}

    await eventually(ended, PATIENCE, "the redriven orders to end", pause=0.2)


async def _sql(shop: Stack, statement: str) -> None:
    url = shop.commands["order"].env["POSTGRES_URL"]
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(statement.encode())


async def _validate(shop: Stack, rule: Mapping[str, Any]) -> None:
    """Let MongoDB refuse changes of stock that does not fulfil a rule."""
    client: AsyncMongoClient[Any]
    async with AsyncMongoClient(shop.commands["product"].env["MONGO_URL"]) as client:
        await client.get_default_database().command("collMod", "stock", validator=rule)
