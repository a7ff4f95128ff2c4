"""What the cells of the matrix do to rebuilds while they run."""

from collections.abc import Mapping
from typing import Any

import psycopg

from tests.faults.fault_actions import Action
from tests.faults.world import PATIENCE, World
from tests.ops_jobs import post, settled
from tests.stack import OPS, Stack, eventually

READ = {
    "order": "SELECT name FROM products WHERE sku = %s",
    "notifier": "SELECT name FROM customers WHERE email = %s",
}
SPOIL = {
    "order": "UPDATE products SET name = 'wrong' WHERE sku = %s",
    "notifier": "UPDATE customers SET name = 'wrong' WHERE email = %s",
}
REPLICA = {"order": "products", "notifier": "customers"}


def killed_at_every_point(service: str) -> Action:
    """Spoil a row of a replica; the event process is killed at each point of rebuild, swap and undo."""

    async def action(world: World) -> None:
        shop, worker, who = world.shop, f"{service}-worker", await world.shop.log_in(*OPS)
        row = await shop.product(on_hand=1) if service == "order" else (await shop.customer())[0]
        right = await _replicated(shop, service, row)
        await _execute(shop, service, SPOIL[service], row)
        await world.doom(worker, "rebuild.commit.before")
        job = await post(shop, who, service, "rebuilds", {"replica": REPLICA[service]})
        await world.died(worker)
        for point in ("rebuild.commit.after", "rebuild.compared.before"):
            await world.doom(worker, point)
            await world.died(worker)
        await shop.start(worker)
        compared = await _settled(world, who, service, job["id"])
        assert compared["stage"] == "compared", compared
        assert _differences(compared) == {"only_live": 0, "only_rebuilt": 0, "differs": 1}, compared
        for step, name in (("swap", right), ("undo", "wrong")):
            await world.doom(worker, f"{step}.commit.before")
            await post(shop, who, service, f"rebuilds/{job['id']}/{step}", {})
            await world.died(worker)
            await world.doom(worker, f"{step}.commit.after")
            await world.died(worker)
            assert await _name(shop, service, row) == name, step
            await shop.start(worker)
            settled_job = await _settled(world, who, service, job["id"])
            assert settled_job["error"] is None, settled_job
        await _repair(world, who, service)
        assert await _name(shop, service, row) == right

    return action


async def _repair(world: World, who: Mapping[str, str], service: str) -> None:
    job = await post(world.shop, who, service, "rebuilds", {"replica": REPLICA[service]})
    job = await _settled(world, who, service, job["id"])
    await post(world.shop, who, service, f"rebuilds/{job['id']}/swap", {})
    swapped = await _settled(world, who, service, job["id"])
    assert (swapped["stage"], swapped["error"], swapped["swapped"]["changed"]) == ("swapped", None, 1), swapped
    world.done["replicas swapped"] += 1


async def _settled(world: World, who: Mapping[str, str], service: str, job_id: str) -> Any:
    job = await settled(world.shop, who, service, f"rebuilds/{job_id}", "planning", "running")
    assert job["state"] == "done", job
    return job


def _differences(job: Mapping[str, Any]) -> Mapping[str, int]:
    return {kind: job["difference"][kind] for kind in ("only_live", "only_rebuilt", "differs")}


async def _replicated(shop: Stack, service: str, row: str) -> str:
    async def name() -> str | None:
        return await _name(shop, service, row)

    return str(await eventually(name, PATIENCE, f"{row} to be replicated", pause=0.2))


async def _name(shop: Stack, service: str, row: str) -> str | None:
    found = await _execute(shop, service, READ[service], row)
    return str(found[0][0]) if found else None


async def _execute(shop: Stack, service: str, statement: str, row: str) -> list[Any]:
    url = shop.commands[service].env["POSTGRES_URL"]
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        cursor = await connection.execute(statement.encode(), [row])
        return await cursor.fetchall() if cursor.description else []
