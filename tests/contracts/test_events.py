"""The pages about events are what the code does."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.contracts.event_flow import ROOT, SERVICES, consumers, declared_topics, publishers
from tests.contracts.generated import PAGES

ASYNCAPI: dict[str, Any] = json.loads((ROOT / "docs" / "asyncapi.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_generated_file_is_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == PAGES[path](), "run `python -m tests.contracts` and commit the result"


def test_every_event_is_published_by_one_service() -> None:
    assert {event.type: by for event, by in publishers().items() if len(by) != 1} == {}


@pytest.mark.parametrize("service", SERVICES)
def test_the_docstring_of_a_service_names_the_topics_that_it_publishes_and_consumes(service: str) -> None:
    assert declared_topics(service, "publishes") == {
        event.topic for event, by in publishers().items() if service in by
    }
    assert declared_topics(service, "consumes") == {event.topic for event, by in consumers().items() if service in by}


def test_every_reference_of_the_asyncapi_document_can_be_resolved() -> None:
    for reference in _references(ASYNCAPI):
        place: Any = ASYNCAPI
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
        assert place


@pytest.mark.parametrize("name", ASYNCAPI["components"]["messages"])
def test_the_examples_of_the_asyncapi_document_are_valid_by_its_schemas(name: str) -> None:
    message = ASYNCAPI["components"]["messages"][name]
    for example in message["examples"]:
        jsonschema_rs.validate(ASYNCAPI["components"]["schemas"]["headers"], example["headers"])
        jsonschema_rs.validate(message["payload"], example["payload"])


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [found for inner in value.values() for found in _references(inner)]
    return [found for inner in value for found in _references(inner)] if isinstance(value, list) else []
