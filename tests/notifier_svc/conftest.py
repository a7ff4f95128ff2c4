"""Fixtures of notifier_svc: a renderer, a sender on the ledger of a test, and clients of the REST API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr
from pydantic_core import Url

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import LINK_KEY
from notifier_svc.delivery.sender import Sender
from notifier_svc.rendering.links import Links
from notifier_svc.rendering.mime import MimeRenderer
from notifier_svc.unit_of_work import NotifierUnitOfWork
from tests.notifier_svc.apps import Sending, rest_app
from tests.responses import checked_client


@pytest.fixture(scope="session")
def renderer() -> MimeRenderer:
    return MimeRenderer("shop@shopstream.example", Links("https://shop.example", SecretStr(LINK_KEY)))


@pytest.fixture
def sending(postgres: Postgres, renderer: MimeRenderer) -> Sending:
    """``async with sending(url):`` runs a sender on the ledger of this test."""

    @asynccontextmanager
    async def run(url: str, *, connections: int = 2, lease_seconds: float = 30.0) -> AsyncIterator[Sender]:
        commit = GroupCommit(postgres, NotifierUnitOfWork)
        sender = Sender(postgres, commit, renderer, Url(url), connections=connections, lease_seconds=lease_seconds)
        committing, sending = asyncio.create_task(commit.run()), asyncio.create_task(sender.run())
        try:
            yield sender
            assert not sending.done(), "the sender ended by itself"
        finally:
            # When it is stopped, the sender still records what it has claimed.
            for task in (sending, committing):
                task.cancel()
                await asyncio.wait([task])

    return run


@pytest.fixture(scope="module")
async def api(shared_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with checked_client(rest_app(shared_url)) as client:
        yield client


@pytest.fixture
async def postgres_api(postgres_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the REST API on the database of this test alone."""
    async with checked_client(rest_app(postgres_url)) as client:
        yield client
