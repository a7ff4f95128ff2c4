"""A replica is rebuilt, swapped and put back by the real processes; the event process is killed on the way."""

from typing import Any

import psycopg

from tests.ops_jobs import post, settled
from tests.stack import OPS, Stack, eventually


async def test_a_replica_is_repaired_by_the_real_processes(shop: Stack) -> None:
    ops = await shop.log_in(*OPS)
    skus = [await shop.product(on_hand=1) for _ in range(3)]

    async def replicated() -> bool:
        return {sku for sku, _ in rows(shop)} >= set(skus)

    await eventually(replicated, 60, "the replica")
    right = rows(shop)
    change(shop, "UPDATE products SET amount = 1 WHERE sku = %s", skus[0])
    change(shop, "DELETE FROM products WHERE sku = %s", skus[1])
    wrong = rows(shop)
    await shop.kill("order-worker")
    await shop.launch("order-worker", FAILPOINTS="rebuild.compared.before=die")
    job = await post(shop, ops, "order", "rebuilds", {"replica": "products"})

    async def died() -> bool:
        return not shop.child("order-worker").running

    await eventually(died, 60, "the event process to die")
    await shop.start("order-worker")
    job = await ended(shop, ops, job["id"])
    assert (job["state"], job["stage"]) == ("done", "compared")
    found = await shop.read("order", f"/v1/ops/rebuilds/{job['id']}/difference", ops)
    assert found["differs"] == [{"table": "products", "key": skus[0], "columns": ["amount"]}]
    assert found["only_rebuilt"] == [{"table": "products", "key": skus[1]}]
    swapped = await step(shop, ops, job["id"], "swap")
    assert (swapped["error"], swapped["swapped"]["added"], swapped["swapped"]["changed"]) == (None, 1, 1)
    assert rows(shop) == right
    await step(shop, ops, job["id"], "undo")
    assert rows(shop) == wrong

    async def dropped() -> bool:
        return query(shop, "SELECT 1 FROM pg_namespace WHERE nspname LIKE 'rebuild_%'") == []

    await eventually(dropped, 30, "the shadow to be dropped")


def query(shop: Stack, statement: str) -> list[Any]:
    with psycopg.connect(shop.commands["order"].env["POSTGRES_URL"]) as connection:
        return connection.execute(statement.encode()).fetchall()


def rows(shop: Stack) -> list[Any]:
    return query(shop, "SELECT sku, amount FROM products ORDER BY sku")


def change(shop: Stack, statement: str, sku: str) -> None:
    with psycopg.connect(shop.commands["order"].env["POSTGRES_URL"]) as connection:
        connection.execute(statement.encode(), [sku])


async def step(shop: Stack, ops: dict[str, str], job_id: str, name: str) -> Any:
    await post(shop, ops, "order", f"rebuilds/{job_id}/{name}", {})
    return await ended(shop, ops, job_id)


async def ended(shop: Stack, ops: dict[str, str], job_id: str) -> Any:
    return await settled(shop, ops, "order", f"rebuilds/{job_id}", "planning", "running")
