"""``compose.yaml`` and the Dockerfile name only what exists: settings, commands, ports, paths, databases.

Each check must find nothing in the real files, and something in spoiled copies.
"""

from inspect import get_annotations, getmembers, isfunction
from pathlib import Path

import pytest

from deploy.compose.signing_key import make_signing_key
from tests.compose import containers, image, settings, storage
from tests.compose.deployment import Deployment, read_deployment
from tests.compose.spoiling import Check, Spoil, Spoiled

NOUNS = (containers, image, settings, storage)
CHECKS: Spoiled = {check: spoils for noun in NOUNS for check, spoils in noun.SPOILED.items()}
SPOILED = [(check, spoil) for check, spoils in CHECKS.items() for spoil in spoils]


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """The files as they are."""
    key = tmp_path / "jwt.pem"
    assert make_signing_key(key)
    return read_deployment(key)


@pytest.mark.parametrize("check", CHECKS)
def test_the_files_are_right(check: Check, deployment: Deployment) -> None:
    assert check(deployment) == []


@pytest.mark.parametrize(("check", "spoil"), SPOILED, ids=lambda one: getattr(one, "__name__", ""))
def test_a_check_notices_what_is_wrong(check: Check, spoil: Spoil, deployment: Deployment) -> None:
    spoil(deployment)
    assert check(deployment)


def test_every_check_is_seen_to_fail() -> None:
    functions = [one for noun in NOUNS for _, one in getmembers(noun, isfunction) if one.__module__ == noun.__name__]
    assert {one for one in functions if get_annotations(one)["return"] == list[str]} == set(CHECKS)
    assert all(CHECKS.values())


def test_the_signing_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "jwt.pem"
    assert make_signing_key(path)
    made = path.read_bytes()
    assert not make_signing_key(path)
    assert (path.read_bytes(), path.stat().st_mode & 0o777, list(tmp_path.iterdir())) == (made, 0o400, [path])
