"""What the tests of notifier_svc share: a ledger with mails in it, and a sender at work on it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from pydantic_core import Url

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import LINK_KEY
from notifier_svc.letters import Letters
from notifier_svc.links import Links
from notifier_svc.main import build
from notifier_svc.sender import Sender
from notifier_svc.settings import RestSettings
from notifier_svc.store import Ledger
from tests.answers import watched

Sending = Callable[..., AbstractAsyncContextManager[Sender]]


@pytest.fixture(scope="session")
def letters() -> Letters:
    return Letters("shop@shopstream.example", Links("https://shop.example", SecretStr(LINK_KEY)))


@pytest.fixture
def sending(postgres: Postgres, letters: Letters) -> Sending:
    """``async with sending(url):`` runs a sender on the ledger of this test."""

    @asynccontextmanager
    async def run(url: str, *, connections: int = 2, lease_seconds: float = 30.0) -> AsyncIterator[Sender]:
        commit = GroupCommit(postgres, Ledger)
        sender = Sender(postgres, commit, letters, Url(url), connections=connections, lease_seconds=lease_seconds)
        committing, at_work = asyncio.create_task(commit.run()), asyncio.create_task(sender.run())
        try:
            yield sender
            assert not at_work.done(), "the sender ended by itself"
        finally:
            # What the sender has in hand when it is stopped it still writes down.
            for task in (at_work, committing):
                task.cancel()
                await asyncio.wait([task])

    return run


@pytest.fixture(scope="module")
async def api(shared_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with watched(front(shared_url)) as client:
        yield client


@pytest.fixture
async def postgres_api(postgres_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the REST front on the database of this test alone."""
    async with watched(front(postgres_url)) as client:
        yield client


def front(url: str) -> FastAPI:
    settings = {
        "postgres_url": url,
        "kafka_bootstrap_servers": "nobody:9092",
        "jwks_url": "http://127.0.0.1:9/jwks.json",
    }
    return build(RestSettings.model_validate(settings))
