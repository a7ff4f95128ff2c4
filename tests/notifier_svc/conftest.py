"""What the tests of notifier_svc share: a ledger with mails in it, and a sender at work on it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import pytest
from pydantic_core import Url

from chassis.groupcommit import GroupCommit
from chassis.sql import Postgres
from notifier_svc.letters import Letters
from notifier_svc.sender import Sender
from notifier_svc.store import Ledger

Sending = Callable[..., AbstractAsyncContextManager[Sender]]


@pytest.fixture(scope="session")
def letters() -> Letters:
    return Letters("shop@shopstream.example")


@pytest.fixture
def sending(postgres: Postgres, letters: Letters) -> Sending:
    """``async with sending(url):`` runs a sender on the ledger of this test."""

    @asynccontextmanager
    async def run(url: str, *, connections: int = 2, lease_seconds: float = 30.0) -> AsyncIterator[Sender]:
        commit = GroupCommit(postgres, Ledger)
        sender = Sender(postgres, commit, letters, Url(url), connections=connections, lease_seconds=lease_seconds)
        tasks = [asyncio.create_task(commit.run()), asyncio.create_task(sender.run())]
        try:
            yield sender
            for task in tasks:
                assert not task.done(), "a part of the sender ended by itself"
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task

    return run


async def eventually(look: Callable[[], Awaitable[bool]], what: str, seconds: float = 20.0) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(seconds):
        while not await look():
            await asyncio.sleep(0.02)
    assert True, what
