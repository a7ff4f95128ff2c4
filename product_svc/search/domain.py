"""What a search looks for."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from product_svc.catalogue.domain import Status

Sort = Literal["added", "newest", "name", "-name", "price", "-price", "relevance"]

INDEXED_SORTS: tuple[Sort, ...] = ("added", "newest", "name")
"""Not ``-name``: products of the same name are in the order of their creation, backwards as well."""


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


def in_order_of_an_index(search: Search, sort: Sort) -> bool:
    """Whether a page of a search is read in the order of an index, with hardly a product that does not match.

    Other searches read all products that match, or all there are.
    """
    if search.skus and search.text is None:
        return True
    narrows = (
        *(search.text, search.currency, search.price_min, search.price_max, search.available),
        *search.attributes,
    )
    filtered = any(one is not None for one in narrows)
    return sort in INDEXED_SORTS and not filtered and "active" in search.statuses
