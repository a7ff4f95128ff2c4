"""Wake-ups of the relay, on both databases: they come from other processes, are few, and may fail."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

import pytest

from chassis.messaging import relay, wake_ups
from chassis.messaging.relay import Relay
from chassis.messaging.wake_ups import Send, receive_wake_ups, send_wake_ups
from chassis.persistence.database import Database
from chassis.persistence.errors import DatabaseUnavailable
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.mongo.database import Mongo
from chassis.persistence.postgres.database import Postgres
from chassis.runtime.background import in_background
from tests.chassis.messaging.relayed import published, write
from tests.chassis.tally import Tallies, make_tables
from tests.databases import Databases
from tests.servers import Servers


class Processes(NamedTuple):
    """The same database, as two processes have it."""

    rest: Database[Any]
    events: Database[Any]


@pytest.fixture(params=["postgres", "mongo"])
async def processes(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[Processes]:
    async with AsyncExitStack() as stack:
        opened: list[Database[Any]]
        if request.param == "postgres":
            url = stack.enter_context(databases.lent("order_svc"))
            opened = [Postgres(url), Postgres(url)]
        else:
            url = await stack.enter_async_context(databases.lent_mongo())
            opened = [Mongo(url), Mongo(url)]
        for one in opened:
            stack.push_async_callback(one.close)
        await make_tables(opened[0])
        yield Processes(*opened)


async def woken(database: Database[Any], seconds: float = 20) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await database.outbox.added.wait()
    except TimeoutError:
        return False
    database.outbox.added.clear()
    return True


async def listening(processes: Processes) -> None:
    """Wait until wake-ups arrive."""
    while not await woken(processes.events, 0.2):
        processes.rest.outbox.added.set()


@pytest.fixture
def never_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay that looks again only when it is woken."""
    monkeypatch.setattr(relay, "IDLE_SECONDS", (1000.0, 1000.0))


@pytest.mark.usefixtures("never_by_itself")
async def test_a_commit_of_another_process_wakes_the_relay(
    processes: Processes, servers: Servers, prefix: str
) -> None:
    commit = GroupCommit(processes.rest, Tallies)
    async with (
        asyncio.timeout(60),
        in_background(commit.run(), "commit"),
        in_background(Relay(processes.events, servers.kafka, prefix).run(), "relay"),
        in_background(send_wake_ups(processes.rest), "wake-ups"),
    ):
        # The first may come before the relay listens. It looks once when it begins.
        await write(processes.rest, commit, "A", 1)
        assert (await published(servers, prefix, 1))["A"] == [1]
        await asyncio.sleep(1)
        for versions in ([1, 2], [1, 2, 3]):
            await write(processes.rest, commit, "A", 1)
            assert (await published(servers, prefix, len(versions)))["A"] == versions


@pytest.mark.usefixtures("never_by_itself")
async def test_a_process_that_does_not_lead_wakes_the_one_that_does(
    processes: Processes, servers: Servers, prefix: str
) -> None:
    commits = [GroupCommit(database, Tallies) for database in processes]
    relays = [Relay(database, servers.kafka, prefix) for database in processes]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(asyncio.timeout(60))
        for loop in (*(one.run for one in commits), *(one.run for one in relays)):
            await stack.enter_async_context(in_background(loop(), loop.__qualname__))
        await asyncio.sleep(2)
        for nth, (database, commit) in enumerate(zip(processes, commits, strict=True), 1):
            await write(database, commit, "A", 1)
            assert (await published(servers, prefix, nth))["A"] == list(range(1, nth + 1))


async def test_many_commits_send_few_wake_ups(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = 0
    sending = processes.rest.wake_ups.sending

    @asynccontextmanager
    async def counted() -> AsyncIterator[Send]:
        async with sending() as send:

            async def one() -> None:
                nonlocal sent
                sent += 1
                await send()

            yield one

    monkeypatch.setattr(processes.rest.wake_ups, "sending", counted)
    monkeypatch.setattr(wake_ups, "ROUND_SECONDS", 1000.0)
    commit = GroupCommit(processes.rest, Tallies)
    async with in_background(commit.run(), "commit"), in_background(send_wake_ups(processes.rest), "wake-ups"):
        await asyncio.gather(*(write(processes.rest, commit, f"S{nth}", 5) for nth in range(5)))
    assert sent == 1


async def test_wake_ups_come_back_after_the_connection_was_lost(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake_ups, "RETRY_SECONDS", 0.05)
    received, losses = processes.events.wake_ups.received, 0

    async def lost_once() -> AsyncGenerator[None, None]:
        nonlocal losses
        async for one in received():
            yield one
            if not losses:
                losses += 1
                raise DatabaseUnavailable("on purpose")

    monkeypatch.setattr(processes.events.wake_ups, "received", lost_once)
    async with (
        asyncio.timeout(60),
        in_background(send_wake_ups(processes.rest), "send"),
        in_background(receive_wake_ups(processes.events), "receive"),
    ):
        await listening(processes)
        await listening(processes)
    assert losses == 1


async def test_a_lost_connection_is_replaced_by_the_sender(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake_ups, "RETRY_SECONDS", 0.05)
    sending, losses = processes.rest.wake_ups.sending, 0

    @asynccontextmanager
    async def lost_once() -> AsyncIterator[Send]:
        nonlocal losses
        async with sending() as send:
            if not losses:
                losses += 1
                raise DatabaseUnavailable("on purpose")
            yield send

    monkeypatch.setattr(processes.rest.wake_ups, "sending", lost_once)
    async with (
        asyncio.timeout(60),
        in_background(send_wake_ups(processes.rest), "send"),
        in_background(receive_wake_ups(processes.events), "receive"),
    ):
        await listening(processes)
    assert losses == 1


async def test_no_connection_is_left_behind(postgres: Postgres) -> None:
    for work in (send_wake_ups(postgres), receive_wake_ups(postgres)):
        async with in_background(work, "wake-ups"):
            await asyncio.sleep(0.5)
    assert "Current Checked out connections: 0" in postgres.engine.pool.status()


async def test_a_relay_that_is_not_woken_looks_by_itself(processes: Processes, servers: Servers, prefix: str) -> None:
    commit = GroupCommit(processes.rest, Tallies)
    async with (
        asyncio.timeout(60),
        in_background(commit.run(), "commit"),
        in_background(Relay(processes.events, servers.kafka, prefix).run(), "relay"),
    ):
        for versions in ([1], [1, 2]):
            await write(processes.rest, commit, "A", 1)
            assert (await published(servers, prefix, len(versions)))["A"] == versions
