"""The relay, on both databases and a real Kafka: in order, nothing lost, one at a time."""

import asyncio
from typing import Any

import psycopg
import pytest

from chassis.messaging.relay import Relay
from chassis.persistence.database import Database
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.runtime.background import ended, in_background
from tests.chassis.messaging.relayed import published, write
from tests.chassis.tally import Tallies
from tests.servers import Servers


async def test_many_writers_are_published_in_order(database: Database[Any], servers: Servers, prefix: str) -> None:
    commits = [GroupCommit(database, Tallies) for _ in range(4)]
    relays = [Relay(database, servers.kafka, prefix) for _ in range(2)]
    loops = [one.run for one in commits] + [one.run for one in relays]
    running = [asyncio.create_task(loop()) for loop in loops]
    writing = [write(database, commits[n % 4], sku, 15) for n in range(16) for sku in [f"S{n % 4}"]]
    await asyncio.gather(*writing)
    found = await published(servers, prefix, 240)
    await asyncio.gather(*(ended(task) for task in running))
    assert {sku: versions == list(range(1, 61)) for sku, versions in found.items()} == dict.fromkeys(
        ("S0", "S1", "S2", "S3"), True
    )


async def test_the_next_relay_takes_over(database: Database[Any], servers: Servers, prefix: str) -> None:
    async with asyncio.timeout(100):
        for versions in ([1], [1, 2]):
            commit = GroupCommit(database, Tallies)
            loops = (commit.run, Relay(database, servers.kafka, prefix).run)
            running = [asyncio.create_task(loop()) for loop in loops]
            await write(database, commit, "A", 1)
            assert (await published(servers, prefix, len(versions)))["A"] == versions
            for task in running:
                await ended(task)


async def test_a_relay_that_is_stopped_while_it_publishes_marks_what_it_has_published(
    database: Database[Any], servers: Servers, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, send = asyncio.Event(), Relay._send

    async def confirmed_late(relay: Relay, *args: Any) -> None:
        await send(relay, *args)
        sent.set()
        await asyncio.sleep(0.2)

    monkeypatch.setattr(Relay, "_send", confirmed_late)
    commit = GroupCommit(database, Tallies)
    async with asyncio.timeout(60), in_background(commit.run(), "commit"):
        relaying = asyncio.create_task(Relay(database, servers.kafka, prefix).run())
        await write(database, commit, "A", 1)
        await sent.wait()
        await ended(relaying)
        async with database.leadership.lead() as outbox:
            assert await outbox.advance([], 1) == []


async def test_a_relay_whose_process_is_stopped_loses_its_lock(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.persistence.postgres.outbox.LEADER_SILENT_SECONDS", 3.0)
    async with asyncio.timeout(40), postgres.leadership.lead() as stopped:
        await stopped.advance([], 1)
        # Stopped, it says nothing; here it waits for the other.
        async with postgres.leadership.lead() as other:
            await other.advance([], 1)
        with pytest.raises(psycopg.OperationalError):
            await stopped.advance([], 1)
