"""The previous release, unpacked once, and databases with its tables."""

import pytest

from tests.databases import Databases
from tests.servers import Servers
from tests.upgrades.previous_release import PreviousRelease, previous_release, unpack


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> PreviousRelease:
    directory = tmp_path_factory.mktemp("release")
    unpack(previous_release(), directory)
    return PreviousRelease(directory)


@pytest.fixture(scope="session")
def databases_of_previous(release: PreviousRelease, servers: Servers) -> Databases:
    return Databases(servers.postgres, servers.mongo, release.migrate, release.migrate_products)
