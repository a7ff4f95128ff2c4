"""``shop rebuild``: replicas are compared with their topics, swapped, and put back, with an exit status for each."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from chassis.jobs.compose import job_loop
from chassis.persistence.postgres.database import Postgres
from chassis.rebuild.runner import RebuildRunner
from chassis.rebuild.sweep import ShadowSweep
from chassis.replay.target import ReplayTarget
from notifier_svc import handlers as notifier_handlers
from notifier_svc.unit_of_work import NotifierUnitOfWork
from order_svc import handlers as order_handlers
from order_svc.unit_of_work import OrderUnitOfWork
from tests.ops.cli.program import Result, assert_failed, location, run
from tests.ops.world import World, sql

WHY = ("--why", "a row was wrong")


@pytest.fixture(scope="module", autouse=True)
async def _jobs(world: World) -> AsyncIterator[None]:
    """The event processes of the services that have replicas."""
    tasks = [
        asyncio.create_task(_run(world, "order_svc", world.orders, order_handlers, OrderUnitOfWork)),
        asyncio.create_task(_run(world, "notifier_svc", world.mails, notifier_handlers, NotifierUnitOfWork)),
    ]
    yield
    for one in tasks:
        one.cancel()
    await asyncio.wait(tasks)


async def _run(world: World, service: str, database: Postgres, handlers: Any, uow: Any) -> None:
    target: ReplayTarget[Any] = ReplayTarget(
        database, service, handlers.HANDLERS, uow, world.servers.kafka, world.prefix
    )
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    runner = RebuildRunner(
        target, database, handlers.REPLICAS, lambda schema: Postgres(url, pool_size=1, search_path=schema)
    )
    loop, sweep = job_loop(target, {"rebuild": runner}), ShadowSweep(database)
    while True:
        if not await loop.step():
            await sweep.step()
            await asyncio.sleep(0.1)


async def rebuild(world: World, *arguments: str) -> Result:
    return await run("rebuild", *arguments, **location(world))


async def names(world: World) -> dict[str, str]:
    async with world.orders.reading() as connection:
        rows = await connection.exec_driver_sql("SELECT sku, name FROM products")
        return {row.sku: row.name for row in rows}


async def test_a_wrong_row_is_found_swapped_and_put_back(world: World) -> None:
    skus = [await world.product() for _ in range(3)]
    assert (await rebuild(world, "plan", "order_svc", "products")).status == 0
    await sql(world.orders, "UPDATE products SET name = 'wrong' WHERE sku = :sku", sku=skus[0])
    await sql(world.orders, "DELETE FROM products WHERE sku = :sku", sku=skus[1])
    planned = await rebuild(world, "plan", "order_svc", "products", "--json", *WHY)
    assert (planned.status, planned.err) == (1, "")
    job = planned.json
    assert (job["state"], job["stage"]) == ("done", "compared")
    assert {"only_live": 0, "only_rebuilt": 1, "differs": 1}.items() <= job["difference"].items()
    diff = await rebuild(world, "diff", job["id"], "--json")
    assert diff.status == 1
    assert diff.json["only_live"] == []
    assert diff.json["only_rebuilt"] == [{"table": "products", "key": skus[1]}]
    assert diff.json["differs"] == [{"table": "products", "key": skus[0], "columns": ["name"]}]
    shown = await rebuild(world, "diff", job["id"])
    assert skus[0] in shown.out
    assert "only rebuilt 1 · differs 1" in shown.out
    assert (await names(world))[skus[0]] == "wrong", "nothing was changed"
    swapped = await rebuild(world, "swap", job["id"], *WHY)
    assert swapped.status == 0
    assert "removed 0, added 1, changed 1" in swapped.out
    assert (await names(world))[skus[0]] == (await names(world))[skus[1]] == "Mug"
    again = await rebuild(world, "swap", job["id"], *WHY)
    assert_failed(again, "cannot swap the replica: order: job_state_conflict", "swapped")
    undone = await rebuild(world, "undo", job["id"], *WHY)
    assert undone.status == 0
    assert "restored 2" in undone.out
    assert (await names(world)).get(skus[0]) == "wrong"
    listed = (await rebuild(world, "list", "--json")).json
    assert job["id"] in [one["id"] for one in listed]
    assert "undone" in (await rebuild(world, "show", job["id"])).out
    recorded = (await run("actions", "--json", **location(world))).json
    assert [one["action"] for one in recorded if one["subject"] == job["id"]] == [
        "rebuild.plan",
        "rebuild.swap",
        "rebuild.undo",
    ]


async def test_customers_of_both_services_are_right_after_a_story(world: World) -> None:
    """What the handlers of a rebuild leave out, such as mails, does not belong to the replica."""
    await world.registered()
    await world.confirmed()
    await sql(world.mails, "INSERT INTO customers (id, email, name, version) VALUES (:id, 'x', 'x', 1)", id=uuid7())
    for group, status in (("order_svc", 0), ("notifier_svc", 1)):
        job = (await rebuild(world, "plan", group, "customers", "--json", *WHY)).json
        diff = await rebuild(world, "diff", job["id"], "--json")
        assert (diff.status, len(diff.json["only_live"])) == (status, status)
        assert diff.json["only_rebuilt"] == diff.json["differs"] == []


async def test_a_newer_rebuild_supersedes_and_a_cancelled_one_is_gone(world: World) -> None:
    older = (await rebuild(world, "plan", "order_svc", "products", "--json", *WHY)).json
    newer = (await rebuild(world, "plan", "order_svc", "products", "--json", *WHY)).json
    assert_failed(await rebuild(world, "swap", older["id"], *WHY), "rebuild_superseded")
    assert (await rebuild(world, "cancel", newer["id"], *WHY)).status == 0
    assert_failed(await rebuild(world, "swap", newer["id"], *WHY), "job_state_conflict")


async def test_mistakes_are_one_line(world: World) -> None:
    assert_failed(
        await rebuild(world, "plan", "order_svc", "orders", *WHY), "replica_not_found", "products, customers"
    )
    assert_failed(await rebuild(world, "plan", "customer_svc", "customers", *WHY), "customer_svc has no replicas")
    assert_failed(await rebuild(world, "diff", str(uuid7())), "no service has")
    assert_failed(await rebuild(world, "swap", str(uuid7())), "Missing option '--why'")
