"""The fields of a product that searches use."""

from typing import Any

from product_svc.catalogue.search_fields import facets


def test_long_values_and_more_than_the_maximum_are_not_facets() -> None:
    assert facets({"a": "x" * 100, "b": "x" * 101}) == ["a:" + "x" * 100]
    assert len(facets({"a": [str(n) for n in range(99)], "b": ["1", "2"]})) == 100


def test_every_type_of_value_has_a_text() -> None:
    attributes: dict[str, Any] = {"a": "x:y", "b": True, "c": 1, "d": 1.5, "e": ["p", "q"], "f": []}
    assert facets(attributes) == ["a:x:y", "b:true", "c:1", "d:1.5", "e:p", "e:q"]
