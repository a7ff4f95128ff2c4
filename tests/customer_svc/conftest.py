"""Fixtures for the tests of customer_svc: one database a module, in which every test uses accounts of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import private_key
from customer_svc.accounts import response_timing
from customer_svc.main import build
from customer_svc.unit_of_work import CustomerUnitOfWork
from tests.customer_svc.factories import settings
from tests.databases import committing
from tests.responses import checked_client


@pytest.fixture(scope="module")
async def commit(shared: Postgres) -> AsyncIterator[GroupCommit[CustomerUnitOfWork]]:
    async with committing(shared, CustomerUnitOfWork) as commit:
        yield commit


@pytest.fixture(autouse=True)
def no_minimum_duration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Responses that take a minimum time in production do not in these tests."""
    monkeypatch.setattr(response_timing, "MIN_SECONDS", 0.0)


@pytest.fixture(scope="module")
def app(shared_url: str, key_file: Path) -> FastAPI:
    return build(settings(shared_url, key_file))


@pytest.fixture(scope="module")
async def api(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with checked_client(app) as client:
        yield client


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "jwt.pem"
    path.write_bytes(private_key())
    return path
