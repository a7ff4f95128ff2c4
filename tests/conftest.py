"""Fixtures for everybody: the servers, started once a run, and databases of one's own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from chassis.mongo import Mongo
from chassis.sql import Postgres
from tests.databases import Databases
from tests.processes import Environment
from tests.servers import Servers, servers


@pytest.fixture(scope="session", name="servers")
def _servers() -> Iterator[Servers]:
    with servers() as running:
        yield running


@pytest.fixture(scope="session")
def databases(servers: Servers) -> Databases:
    return Databases(servers.postgres, servers.mongo)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Environment:
    return Environment(monkeypatch, capsys)


@pytest.fixture(scope="module")
def shared_url(databases: Databases, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database for the tests of a module, each of which looks at its own rows."""
    with databases.lent(_service(request)) as url:
        yield url


@pytest.fixture(scope="module")
async def shared(shared_url: str) -> AsyncIterator[Postgres]:
    database = Postgres(shared_url)
    yield database
    await database.close()


@pytest.fixture
def postgres_url(databases: Databases, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of the service whose tests these are, in which nothing is."""
    with databases.lent(_service(request)) as url:
        yield url


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[Postgres]:
    database = Postgres(postgres_url)
    yield database
    await database.close()


@pytest.fixture
async def mongo_url(databases: Databases) -> AsyncIterator[str]:
    async with databases.lent_mongo() as url:
        yield url


@pytest.fixture
async def mongo(mongo_url: str) -> AsyncIterator[Mongo]:
    database = Mongo(mongo_url)
    yield database
    await database.close()


def _service(request: pytest.FixtureRequest) -> str:
    room: str = request.node.path.parent.name
    return room if room.endswith("_svc") else "order_svc"
