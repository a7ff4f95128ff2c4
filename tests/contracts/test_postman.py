"""The Postman collections; the main one has every route of every service."""

import pytest

from tests.contracts.apps import SERVICES, routes
from tests.contracts.postman import stuck
from tests.contracts.postman.collection import Folders
from tests.contracts.postman.steps import FOLDERS


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_is_in_the_collection(service: str) -> None:
    requested = {step.route for name, steps in FOLDERS.values() if name == service for step in steps}
    assert routes(service) - requested == set(), (
        "add a step to tests/contracts/postman, run `python -m tests.contracts`"
    )


@pytest.mark.parametrize("folders", [FOLDERS, stuck.FOLDERS])
def test_a_repeated_request_has_a_unique_name(folders: Folders) -> None:
    """Postman continues with the first request of a name."""
    names = [step.name for _, steps in folders.values() for step in steps if step.until]
    every = [step.name for _, steps in folders.values() for step in steps]
    assert [name for name in names if every.count(name) > 1] == []
