"""``compose.yaml`` and the Dockerfile fit the code and the system map: programs, settings, ports, paths, databases.

Each check must find nothing in the real files, and something in corrupted copies of them.
"""

from inspect import get_annotations, getmembers, isfunction
from pathlib import Path

import pytest

from deploy.signing_key import make_signing_key
from tests.compose import containers, gateway, image, networks, settings, storage, system_map
from tests.compose.corruptions import Check, Corrupt, Corruptions
from tests.compose.deployment import Deployment, read_deployment

MODULES = (containers, gateway, image, networks, settings, storage, system_map)
CHECKS: Corruptions = {check: corruptions for module in MODULES for check, corruptions in module.CORRUPTIONS.items()}
CORRUPTIONS = [(check, corrupt) for check, corruptions in CHECKS.items() for corrupt in corruptions]


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """The files of this repository."""
    key = tmp_path / "jwt.pem"
    assert make_signing_key(key)
    return read_deployment(key)


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_finds_nothing_in_the_real_files(check: Check, deployment: Deployment) -> None:
    assert check(deployment) == []


@pytest.mark.parametrize(("check", "corrupt"), CORRUPTIONS, ids=lambda one: getattr(one, "__name__", ""))
def test_a_check_finds_a_corruption(check: Check, corrupt: Corrupt, deployment: Deployment) -> None:
    corrupt(deployment)
    assert check(deployment)


def test_every_check_has_corruptions() -> None:
    functions = [
        one for module in MODULES for _, one in getmembers(module, isfunction) if one.__module__ == module.__name__
    ]
    assert {one for one in functions if get_annotations(one)["return"] == list[str]} == set(CHECKS)
    assert all(CHECKS.values())


def test_the_signing_key_is_generated_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "jwt.pem"
    assert make_signing_key(path)
    key = path.read_bytes()
    assert not make_signing_key(path)
    assert (path.read_bytes(), path.stat().st_mode & 0o777, list(tmp_path.iterdir())) == (key, 0o400, [path])
