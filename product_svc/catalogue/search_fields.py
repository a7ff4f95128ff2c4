"""What searches look at of a product: the terms of its words, and its attributes as ``name:value``. Pure."""

from collections.abc import Iterator
from itertools import combinations, islice

import orjson

from product_svc.catalogue.domain import Attributes, Product
from product_svc.catalogue.words import MAX_NAME, STOP_WORDS, spellings, stem, words

MAX_VALUE, MAX_VALUES = 100, 100
"""Characters of an attribute's value, and values of a variant, that can be searched for."""
MAX_TERMS = 1_000
"""Terms of a product. Those of its names come first, those of its description last."""

MAX_PAIRED = 8
"""Words of a name that make pairs."""

EXACT, BEGINNING, IN_NAME, ANYWHERE = "=", "^", "#", "~"
"""What a term is, by its first character: the whole name or a SKU; a word of the name, also for what begins like it;
the stem of a word of the name, or of two of them; the stem of any word."""


def search_terms(product: Product) -> list[str]:
    """The terms by which a product is found: one index on them answers searches, and suggestions while typing."""
    return list(dict.fromkeys(islice(_terms(product), MAX_TERMS)))


def pair(word: str, other: str) -> str:
    """The term of two words of a name: many products are blue, and many are mugs, but few are both."""
    return f"{IN_NAME}{' '.join(sorted((stem(word), stem(other))))}"


def texts(product: Product) -> Iterator[str]:
    """Every text of a product in which words are found."""
    yield product.name
    for attributes in (product.attributes, *(variant.attributes for variant in product.variants)):
        yield from _values(attributes)
    yield product.description


def exact(text: str) -> Iterator[str]:
    """The terms of a whole name, or of a SKU."""
    for spelling in spellings(" ".join(words(text))):
        yield f"{EXACT}{spelling[:MAX_NAME]}"


def facets(attributes: Attributes) -> list[str]:
    """``name:value`` of attributes, each item of a list on its own; values that are not strings as JSON.

    Long strings are useless as filters, and so are more than ``MAX_VALUES`` values. Every variant repeats those of
    the product: without limits, there could be a million of them.
    """
    found = []
    for name, value in attributes.items():
        for one in value if isinstance(value, list) else [value]:
            text = one if isinstance(one, str) else orjson.dumps(one).decode()
            if len(text) <= MAX_VALUE:
                found.append(f"{name}:{text}")
    return found[:MAX_VALUES]


def _terms(product: Product) -> Iterator[str]:
    for name in (product.name, *(variant.sku for variant in product.variants)):
        yield from exact(name)
    named = list(dict.fromkeys(words(product.name)))
    for word in named:
        yield f"{IN_NAME}{stem(word)}"
        for spelling in spellings(word):
            yield f"{BEGINNING}{spelling}"
    for one, other in combinations(named[:MAX_PAIRED], 2):
        yield pair(one, other)
    for text in texts(product):
        # A search leaves these out, unless it has no others: then it is for a name.
        yield from (f"{ANYWHERE}{stem(word)}" for word in words(text) if word not in STOP_WORDS)


def _values(attributes: Attributes) -> Iterator[str]:
    for value in attributes.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from value
