"""What is written of the events is what the code does."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.contracts.pages import PAGES
from tests.contracts.parties import ROOT, SERVICES, card, listeners, tellers

ASYNCAPI: dict[str, Any] = json.loads((ROOT / "docs" / "asyncapi.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_page_is_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == PAGES[path](), (
        "run `python -m tests.contracts` and commit what it writes"
    )


def test_every_event_is_told_by_one_service() -> None:
    assert {event.type: by for event, by in tellers().items() if len(by) != 1} == {}


@pytest.mark.parametrize("service", SERVICES)
def test_a_services_card_names_the_topics_that_it_speaks_and_listens_on(service: str) -> None:
    assert card(service, "publishes") == {event.topic for event, by in tellers().items() if service in by}
    assert card(service, "consumes") == {event.topic for event, by in listeners().items() if service in by}


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    for reference in _references(ASYNCAPI):
        place: Any = ASYNCAPI
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
        assert place


@pytest.mark.parametrize("name", ASYNCAPI["components"]["messages"])
def test_the_examples_of_the_asyncapi_document_are_as_its_schemas_say(name: str) -> None:
    message = ASYNCAPI["components"]["messages"][name]
    for example in message["examples"]:
        jsonschema_rs.validate(ASYNCAPI["components"]["schemas"]["headers"], example["headers"])
        jsonschema_rs.validate(message["payload"], example["payload"])


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [found for inner in value.values() for found in _references(inner)]
    return [found for inner in value for found in _references(inner)] if isinstance(value, list) else []
