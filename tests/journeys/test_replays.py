"""Replays on the running platform, as ops do them: through REST, by the event processes, proved by the audit."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.persistence.database import Database
from chassis.persistence.mongo.database import Mongo
from chassis.persistence.postgres.database import Postgres
from ops.audit import Report
from tests.auditing import SERVICES, audited
from tests.databases import Databases
from tests.forking import fork_server
from tests.ops_jobs import done, move_offsets_to_the_end, patch, planned
from tests.repeats import contents
from tests.servers import Servers
from tests.stack import OPS, Stack, eventually, stack

OF_OPS = {"jobs", "actions", "leases"}
"""What a job itself writes, and what the relay renews."""
MISSED = 500


@pytest.fixture(scope="module")
async def shop(
    servers: Servers, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """A platform of its own: the audit looks at everything."""
    home, settings = tmp_path_factory.mktemp("replays"), {"MAIL_LEASE_SECONDS": "10"}
    async with stack(servers, databases, home, settings, spawn=fork_server().spawn) as running:
        yield running


_LOGIN: dict[str, str] = {}


async def headers(shop: Stack) -> dict[str, str]:
    """One login for all: each is a row."""
    if not _LOGIN:
        _LOGIN.update(await shop.log_in(*OPS))
    return _LOGIN


async def report_on(shop: Stack, servers: Servers) -> Report:
    return await audited(shop, servers.kafka, lambda: headers(shop))


def store(shop: Stack, service: str) -> Database[Any]:
    env = shop.commands[service].env
    return Mongo(env["MONGO_URL"]) if service == "product" else Postgres(env["POSTGRES_URL"])


async def rows(shop: Stack, service: str) -> Mapping[str, Sequence[Any]]:
    database = store(shop, service)
    try:
        return {name: found for name, found in (await contents(database)).items() if name not in OF_OPS}
    finally:
        await database.close()


async def orders(shop: Stack, count: int) -> list[str]:
    """Place orders of one customer, all of which will be confirmed; return their paths."""
    _, who = await shop.customer()
    sku = await shop.product(on_hand=count)
    slots = asyncio.Semaphore(16)

    async def one() -> str:
        async with slots:
            response = await shop.order(who, {sku: 1})
            assert response.status_code in (201, 202), response.text
            return str(response.headers["location"])

    return await asyncio.gather(*(one() for _ in range(count)))


async def all_confirmed(shop: Stack) -> None:
    """Wait until no order waits for its stock, and everything is published."""
    who = await headers(shop)

    async def quiet() -> bool:
        sagas = await shop.read("order", "/v1/sagas", who)
        waiting = [(await shop.read(name, "/v1/ops/summary", who))["outbox_waiting"] for name in SERVICES]
        return not sagas["items"] and not any(waiting)

    await eventually(quiet, 90, "all orders to be confirmed", pause=0.5)


async def clean(shop: Stack, servers: Servers) -> None:
    async def found() -> bool:
        return (await report_on(shop, servers)).ok

    try:
        await eventually(found, 60, "a clean audit", pause=1.0)
    except AssertionError:
        assert (await report_on(shop, servers)).findings == []
        raise


async def mails_of(shop: Stack) -> int:
    """How many mails were sent to the customers of this platform; others share its mail server."""
    database = store(shop, "notifier")
    assert isinstance(database, Postgres)
    try:
        async with database.reading() as connection:
            addresses = (await connection.scalars(sa.text("SELECT email FROM customers"))).all()
    finally:
        await database.close()
    return sum([len(await shop.mails(address)) for address in addresses])


async def test_the_whole_history_into_every_group_changes_nothing(shop: Stack, servers: Servers) -> None:
    await orders(shop, 25)
    await all_confirmed(shop)
    await clean(shop, servers)
    mails = await mails_of(shop)
    for service in SERVICES:
        before = await rows(shop, service)
        plan = await planned(shop, await headers(shop), service)
        assert plan["counts"]["to_bring"] == 0, plan
        assert plan["counts"]["handled"] > 0 or service == "customer"
        ran = await done(shop, await headers(shop), service, plan["id"])
        assert (ran["state"], ran["equal"], ran["done"]["brought"]) == ("done", True, 0)
        after = await rows(shop, service)
        for table in before.keys() | after.keys():
            assert after.get(table) == before.get(table), (service, table)
    assert await mails_of(shop) == mails
    await clean(shop, servers)


async def test_what_convergent_handlers_did_can_be_done_again_without_effect(shop: Stack, servers: Servers) -> None:
    mails = await mails_of(shop)
    for service in ("order", "notifier"):
        before = await rows(shop, service)
        plan = await planned(shop, await headers(shop), service, mode="again")
        assert plan["counts"]["to_bring"] > 0
        ran = await done(shop, await headers(shop), service, plan["id"])
        assert (ran["state"], ran["equal"], ran["done"]["failed"]) == ("done", True, 0)
        after = await rows(shop, service)
        for table in before.keys() | after.keys():
            assert after.get(table) == before.get(table), (service, table)
    assert await mails_of(shop) == mails


async def test_lost_offsets_are_found_planned_brought_and_proved(shop: Stack, servers: Servers) -> None:
    """500 confirmed orders whose events notifier_svc never handled, while others go on."""
    await shop.kill("notifier-worker", 15)
    await orders(shop, MISSED)
    await all_confirmed(shop)
    topics = ("customer.events", "order.events", "stock.events")
    await move_offsets_to_the_end(shop, servers.kafka, "notifier_svc", topics)
    await shop.start("notifier-worker")
    report = await report_on(shop, servers)
    missed = [one for one in report.findings if one.check == "not_handled"]
    assert len(missed) >= MISSED
    plan = await planned(shop, await headers(shop), "notifier", type="order.confirmed")
    assert (plan["counts"]["to_bring"], plan["mails"]) == (MISSED, {"new": MISSED, "known": 0})
    status, refused = await patch(shop, await headers(shop), "notifier", plan["id"], {"state": "running"})
    assert (status, refused["code"]) == (409, "mails_undecided")
    sent = await mails_of(shop)
    live = asyncio.create_task(orders(shop, 20))
    ran = await done(shop, await headers(shop), "notifier", plan["id"], mails="withhold", rate=200)
    assert (ran["state"], ran["done"]["brought"], ran["equal"]) == ("done", MISSED, True)
    await live
    await all_confirmed(shop)
    # The customers themselves registered while it was down: their mails are sent.
    rest = await planned(shop, await headers(shop), "notifier")
    if rest["counts"]["to_bring"]:
        await done(shop, await headers(shop), "notifier", rest["id"], mails="send")
    await clean(shop, servers)
    receipts = await mails_of(shop) - sent
    assert 20 <= receipts < 40, "the withheld mails are not sent, those of live orders are"
