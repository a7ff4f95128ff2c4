"""Fixtures for all tests: the servers, started once per run, and databases."""

import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import structlog

from chassis.persistence.mongo.database import Mongo
from chassis.persistence.postgres.database import Postgres
from tests.databases import Databases
from tests.forking import fork_server
from tests.otlp import Collector, collector
from tests.processes import Environment
from tests.scheduling import LongestFirst, sort_tests
from tests.servers import Servers, SharedServers, servers, shared_servers
from tests.stack import Stack, stack

GC_THRESHOLD = 50_000
"""Objects that are allocated between two collections of the youngest, instead of 700."""
SHARED_SERVERS = pytest.StashKey[SharedServers]()


def pytest_configure() -> None:
    """Log errors with plain tracebacks: those with all variables take seconds of CPU each."""
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], renderer])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LongestFirst:
    """Distribute the tests."""
    return LongestFirst(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Pass the address of the servers to a process that runs a part of the tests."""
    stash = node.config.stash
    if SHARED_SERVERS not in stash:
        stash[SHARED_SERVERS] = SharedServers()
        node.config.add_cleanup(stash[SHARED_SERVERS].close)
    node.workerinput["servers"] = stash[SHARED_SERVERS].address


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort the tests of a run in several processes; ``-n0`` runs them in their order."""
    if hasattr(config, "workerinput"):
        sort_tests(items)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays until the end: the libraries, and thousands of collected tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def cheap_password_hashes() -> Iterator[None]:
    """Hash passwords with the least memory. (The tests of the hasher, and processes, use the real parameters.)"""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("customer_svc.passwords.hasher.TIME_COST", 1)
        patch.setattr("customer_svc.passwords.hasher.MEMORY_KIB", 8)
        yield


@pytest.fixture(scope="session", name="servers")
def _servers(pytestconfig: pytest.Config) -> Iterator[Servers]:
    worker: dict[str, Any] | None = getattr(pytestconfig, "workerinput", None)
    if worker:
        yield shared_servers(worker["servers"])
        return
    with servers(volatile=True) as running:
        yield running


@pytest.fixture(scope="session")
def databases(servers: Servers) -> Databases:
    return Databases(servers.postgres, servers.mongo)


@pytest.fixture(scope="session")
def spans() -> Iterator[Collector]:
    """Where the processes of ``shop`` send their spans."""
    with collector() as received:
        yield received


@pytest.fixture(scope="session")
async def shop(
    servers: Servers, databases: Databases, tmp_path_factory: pytest.TempPathFactory, spans: Collector
) -> AsyncIterator[Stack]:
    """A running platform that journeys and attacks share; each has customers and products of its own."""
    home, settings = tmp_path_factory.mktemp("shop"), {"MAIL_LEASE_SECONDS": "10"}
    settings |= {"OTEL_EXPORTER_OTLP_ENDPOINT": spans.url, "OTEL_BSP_SCHEDULE_DELAY": "300"}
    async with stack(servers, databases, home, settings, spawn=fork_server().spawn) as running:
        yield running


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Environment:
    return Environment(monkeypatch, capsys)


@pytest.fixture(scope="module")
def shared_url(databases: Databases, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database for the tests of a module, each of which uses its own rows."""
    with databases.lent(_service(request)) as url:
        yield url


@pytest.fixture(scope="module")
async def shared(shared_url: str) -> AsyncIterator[Postgres]:
    database = Postgres(shared_url)
    yield database
    await database.close()


@pytest.fixture
def postgres_url(databases: Databases, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of the service that is tested."""
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
    folders: tuple[str, ...] = request.node.path.relative_to(request.config.rootpath).parts
    return next((folder for folder in folders if folder.endswith("_svc")), "order_svc")
