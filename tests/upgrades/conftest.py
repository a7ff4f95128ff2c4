"""The previous release, unpacked once."""

import pytest

from tests.upgrades.previous_release import PreviousRelease, previous_release, unpack


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> PreviousRelease:
    directory = tmp_path_factory.mktemp("release")
    unpack(previous_release(), directory)
    return PreviousRelease(directory)
