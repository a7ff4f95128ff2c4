"""Processes of the previous release and of today side by side on the same stores and topics, under load and kills.

Forward, back and forward again: nothing is lost, and the audit is clean.
"""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from chassis.persistence.postgres.migrate import migrate
from deploy.local.processes import REPOSITORY
from deploy.system import MONGO, SYSTEM
from deploy.topics import create_topics
from product_svc.migrations.__main__ import migrate as migrate_products
from tests.auditing import audited, lines
from tests.databases import Databases
from tests.faults.traffic import Traffic
from tests.ops_jobs import done, planned
from tests.servers import Servers
from tests.stack import OPS, Stack, stack
from tests.upgrades.previous_release import PREVIOUS, PreviousRelease

REST_PROCESSES = tuple(service.name for service in SYSTEM.services)
PROCESSES = tuple(program.name for program in SYSTEM.all_processes)
WORKERS = tuple(name for name in PROCESSES if name not in REST_PROCESSES)
COPIES = tuple(f"{name}-of-previous" for name in WORKERS)
BETWEEN_SECONDS = (0.05, 0.4)
BEFORE_SECONDS = 5.0
"""How long the previous release works before anything ends. In a rebalance it loses what it has fetched of a
partition of which nothing was ever committed (see the changelog): by then, something of each is committed."""
TODAY: Mapping[str, str] = {}


@pytest.fixture(scope="module")
async def shop(
    release: PreviousRelease,
    databases_of_previous: Databases,
    servers: Servers,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Stack]:
    """A platform of the previous release, with a second event process of it for each service."""
    settings = {"MAIL_LEASE_SECONDS": "10", "JWT_SECONDS": "86400", **PREVIOUS}
    home = tmp_path_factory.mktemp("shop")
    databases, appoint = databases_of_previous, release.appoint
    async with stack(servers, databases, home, settings, spawn=release.spawn, appoint=appoint) as running:
        for name, copy in zip(WORKERS, COPIES, strict=True):
            await running.start_another(name, copy)
        yield running


@pytest.mark.timeout(600)
async def test_two_releases_work_side_by_side(shop: Stack, servers: Servers) -> None:
    chance = random.Random(20261128)
    await _migrate(shop, servers)
    traffic = await Traffic.begin(shop, chance, with_parcels=False)
    await asyncio.sleep(BEFORE_SECONDS)
    # The copies stay what they are: that they can be killed and come back is seen in the first round.
    for settings, names in ((TODAY, (*PROCESSES, *COPIES)), (PREVIOUS, PROCESSES), (TODAY, PROCESSES)):
        for name in chance.sample(names, len(names)):
            await _replace(shop, name, PREVIOUS if name in COPIES else settings, chance)
        await asyncio.gather(*(shop.ready(name) for name in shop.children))
        assert {name for name in PROCESSES if _is_of_today(shop, name)} == (set() if settings else set(PROCESSES))
        assert not any(_is_of_today(shop, name) for name in COPIES)
    for copy in COPIES:
        await shop.kill(copy, signal.SIGTERM)
    # Those of the previous release have changed stock without the offers.
    await migrate_products(shop.commands["product"].env["MONGO_URL"], again="m005_offers")
    await traffic.end()
    assert traffic.orders > 100
    try:
        await traffic.settled()
    except AssertionError as error:
        for line in lines(await audited(shop, servers.kafka)):
            error.add_note(line)
        raise
    await _replay_what_was_skipped(shop)
    assert lines(await audited(shop, servers.kafka)) == []


async def _replay_what_was_skipped(shop: Stack) -> None:
    """Bring the events that only today's services handle, and that those of the previous release have read."""
    ops = await shop.log_in(*OPS)

    async def replay(service: str) -> None:
        plan = await planned(shop, ops, service)
        ran = await done(shop, ops, service, plan["id"], mails="withhold")
        assert (ran["state"], ran["equal"]) == ("done", True), ran

    await asyncio.gather(*(replay(service) for service in REST_PROCESSES))


def _is_of_today(shop: Stack, name: str) -> bool:
    """Whether a process runs the code of this directory."""
    return Path(f"/proc/{shop.child(name).pid}/cwd").resolve() == REPOSITORY


async def _migrate(shop: Stack, servers: Servers) -> None:
    """What an upgrade does first, while the processes of the previous release go on working."""
    await create_topics(servers.kafka, prefix=shop.commands["order"].env["KAFKA_PREFIX"])
    for service in SYSTEM.services:
        url = shop.commands[service.name].env[service.database.setting]
        if service.database is MONGO:
            await migrate_products(url)
        else:
            await asyncio.to_thread(migrate, url, service.package)


async def _replace(shop: Stack, name: str, settings: Mapping[str, str], chance: random.Random) -> None:
    """End a process, in whatever it does, and start one of a release in its place."""
    await asyncio.sleep(chance.uniform(*BETWEEN_SECONDS))
    await shop.kill(name, chance.choice((signal.SIGKILL, signal.SIGTERM)))
    await shop.launch(name, **{**dict.fromkeys(PREVIOUS, ""), **settings})
