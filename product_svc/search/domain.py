"""What a search looks for."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from product_svc.catalogue.domain import Status

Sort = Literal["added", "newest", "name", "-name", "price", "-price", "relevance"]

EVERY = "+"
"""A key of all offers that are for sale, and of one of each product of which none is. No attribute begins like it."""


def category_key(category_id: UUID) -> str:
    """The key of the offers under ``EVERY`` that are in a category."""
    return f"{EVERY}{category_id.hex}"


@dataclass(frozen=True, slots=True)
class Search:
    """Filters. Prices are in minor units of ``currency``; ``attributes`` is name → any of these values."""

    text: str | None = None
    skus: Sequence[str] = ()
    category_id: UUID | None = None
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    currency: str | None = None
    price_min: int | None = None
    price_max: int | None = None
    available: bool | None = None
    statuses: Sequence[Status] = ("active",)

    @property
    def key(self) -> Hashable:
        """The same for searches that find the same, in whatever order their filters were given."""
        attributes = ((name, tuple(sorted(set(values)))) for name, values in self.attributes.items())
        return (
            *(self.text, tuple(sorted(set(self.skus))), self.category_id, tuple(sorted(attributes)), self.currency),
            *(self.price_min, self.price_max, self.available, tuple(sorted(set(self.statuses)))),
        )

    @property
    def of_variants(self) -> bool:
        """Whether it has filters on variants, other than their SKUs."""
        return bool(self.attributes) or self.currency is not None or self.available is not None

    @property
    def facets(self) -> Mapping[str, list[str]]:
        """Name of an attribute → the values that match, as offers have them."""
        return {
            name: [f"{name}:{value}" for value in dict.fromkeys(values)] for name, values in self.attributes.items()
        }


def in_order_of_an_index(search: Search, sort: Sort) -> bool:
    """Whether a page of a search is read in the order of an index, with hardly an offer that does not match.

    Other searches read more than they find.
    """
    if search.text is not None:
        return False
    if search.skus:
        return True
    filters = len(search.attributes) + (search.category_id is not None)
    return filters <= 1 and search.available is not False and (sort.endswith("price") or search.currency is None)
