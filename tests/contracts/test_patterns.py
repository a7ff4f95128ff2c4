"""What a client may get wrong in a text is said in words: every pattern of a request has a sentence."""

from collections.abc import Iterator
from typing import Any

import pytest

from chassis.http.plain_errors import PATTERNS
from tests.contracts.apps import SERVICES, described


@pytest.mark.parametrize("service", SERVICES)
def test_every_pattern_of_a_request_is_said_in_words(service: str) -> None:
    found = set(patterns(described()[service]))
    assert found
    assert found - PATTERNS.keys() == set()


def test_every_sentence_is_about_a_pattern_of_a_request() -> None:
    assert PATTERNS.keys() - {pattern for service in SERVICES for pattern in patterns(described()[service])} == set()


def patterns(document: dict[str, Any]) -> Iterator[str]:
    """The patterns of parameters and bodies, wherever their schemas are."""
    operations = [one for path in document["paths"].values() for one in path.values()]
    left: list[Any] = [[one.get("parameters"), one.get("requestBody")] for one in operations]
    known: set[str] = set()
    while left:
        node = left.pop()
        if isinstance(node, list):
            left += node
        elif isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference not in known:
                known.add(reference)
                left.append(document["components"]["schemas"][reference.rpartition("/")[2]])
            if isinstance(node.get("pattern"), str):
                yield node["pattern"]
            left += node.values()
