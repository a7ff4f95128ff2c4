"""What the tests of customer_svc share: one database a module, in which every test looks at its own accounts."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import LINK_KEY, private_key
from customer_svc.api import needs
from customer_svc.main import build
from customer_svc.settings import Settings
from customer_svc.store import Accounts
from tests.answers import watched
from tests.databases import committing


@pytest.fixture(scope="module")
async def commit(shared: Postgres) -> AsyncIterator[GroupCommit[Accounts]]:
    async with committing(shared, Accounts) as commit:
        yield commit


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers that take their time on purpose do not."""
    monkeypatch.setattr(needs, "ANSWER_SECONDS", 0.0)


@pytest.fixture(scope="module")
def app(shared_url: str, key_file: Path) -> FastAPI:
    return build(settings(shared_url, key_file))


@pytest.fixture(scope="module")
async def api(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with watched(app) as client:
        yield client


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "jwt.pem"
    path.write_bytes(private_key())
    return path


def settings(postgres_url: str, key_file: Path, **changes: Any) -> Settings:
    # The tests of a module register at one address of the network.
    changes = {"register_tries_per_address": 1_000_000} | changes
    told = {"postgres_url": postgres_url, "jwt_private_key_file": key_file, "link_key": LINK_KEY}
    told |= dict.fromkeys(("order_url", "notifier_url"), "http://127.0.0.1:9")
    return Settings.model_validate(told | {"kafka_bootstrap_servers": "nobody:9092"} | changes)
