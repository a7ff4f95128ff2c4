"""The fields of a product that searches use."""

from datetime import UTC, datetime
from typing import Any

from uuid_utils.compat import uuid7

from product_svc.catalogue.domain import Product, Variant
from product_svc.catalogue.search_fields import MAX_TERMS, facets, search_terms
from tests.product_svc.factories import PRICE

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_long_values_and_more_than_the_maximum_are_not_facets() -> None:
    assert facets({"a": "x" * 100, "b": "x" * 101}) == ["a:" + "x" * 100]
    assert len(facets({"a": [str(n) for n in range(99)], "b": ["1", "2"]})) == 100


def test_every_type_of_value_has_a_text() -> None:
    attributes: dict[str, Any] = {"a": "x:y", "b": True, "c": 1, "d": 1.5, "e": ["p", "q"], "f": []}
    assert facets(attributes) == ["a:x:y", "b:true", "c:1", "d:1.5", "e:p", "e:q"]


def test_terms_are_whole_names_words_pairs_of_words_and_beginnings() -> None:
    product = Product(uuid7(), "Die Tassen", {"for": "Öl"}, (Variant("T-1", PRICE),), 1, NOW, "of Glass")
    assert sorted(search_terms(product)) == sorted(
        ["=die tassen", "=t 1", "^die", "^tassen", "#die", "#tass", "#die tass", "~tass", "~ol", "~glass"]
    )


def test_there_are_no_more_terms_than_the_maximum() -> None:
    words = " ".join(f"w{n}" for n in range(2 * MAX_TERMS))
    assert len(search_terms(Product(uuid7(), "Mug", {}, (Variant("M", PRICE),), 1, NOW, words))) <= MAX_TERMS
