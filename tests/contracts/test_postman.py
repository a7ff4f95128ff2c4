"""The Postman collections: one has every route of every service."""

import pytest

from tests.contracts.apps import SERVICES, routes
from tests.contracts.postman import stuck
from tests.contracts.postman.collection import Folders
from tests.contracts.postman.steps import FOLDERS


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_is_in_the_collection(service: str) -> None:
    asked = {step.route for whom, steps in FOLDERS.values() if whom == service for step in steps}
    assert routes(service) - asked == set(), "add a step to tests/contracts/postman, run `python -m tests.contracts`"


@pytest.mark.parametrize("folders", [FOLDERS, stuck.FOLDERS])
def test_a_request_that_is_repeated_can_be_found_by_its_name(folders: Folders) -> None:
    """Postman goes on with the first request of a name."""
    names = [step.name for _, steps in folders.values() for step in steps if step.until]
    every = [step.name for _, steps in folders.values() for step in steps]
    assert [name for name in names if every.count(name) > 1] == []
