"""What searches look at of a product: the field ``search`` of its document. Pure; ``search.pipeline`` reads it."""

from collections.abc import Iterator
from typing import Any

import orjson

from product_svc.catalogue.domain import Attributes, Product

MAX_VALUE, MAX_VALUES = 100, 100
"""Characters of an attribute's value, and values of a variant, that can be searched for."""


def search_fields(product: Product) -> dict[str, Any]:
    """The field ``search`` of a product's document; discontinued variants are not found."""
    offers: list[dict[str, Any]] = [
        {
            "sku": variant.sku,
            "currency": variant.price.currency,
            "amount": variant.price.amount,
            "facets": facets({**product.attributes, **variant.attributes}),
        }
        for variant in product.variants
        if variant.status == "active"
    ]
    kept = [product.attributes, *(variant.attributes for variant in product.variants)]
    words = {word for attributes in kept for word in _texts(attributes)}
    return {
        "name": product.name.casefold(),
        "words": [variant.sku for variant in product.variants] + sorted(words),
        "offers": offers,
    }


def facets(attributes: Attributes) -> list[str]:
    """``name:value`` of attributes, each item of a list on its own; values that are not strings as JSON.

    Long strings are useless as filters, and so are more than ``MAX_VALUES`` values. Every variant repeats those of
    the product: without limits, a document could exceed the size that MongoDB stores.
    """
    found = []
    for name, value in attributes.items():
        for one in value if isinstance(value, list) else [value]:
            text = one if isinstance(one, str) else orjson.dumps(one).decode()
            if len(text) <= MAX_VALUE:
                found.append(f"{name}:{text}")
    return found[:MAX_VALUES]


def _texts(attributes: Attributes) -> Iterator[str]:
    for value in attributes.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from value
