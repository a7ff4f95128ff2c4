"""What a search looks for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from product_svc.catalogue.domain import Status

Sort = Literal["added", "newest", "name", "-name", "price", "-price", "relevance"]


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
