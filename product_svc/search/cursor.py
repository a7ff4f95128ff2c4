"""Where a page of a search ended: the next one continues there, even if products are added or removed in between.

A cursor is the sort key of the page's last product, and its id. For clients it is opaque; in the order of creation it
is the id itself.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from product_svc.search.domain import Sort
from product_svc.search.filters import Stage

MAX_LENGTH = 2000
BY_ID: dict[Sort, int] = {"added": 1, "newest": -1}
_KEYS: dict[str, tuple[str, type]] = {"name": ("name", str), "price": ("amount", int), "relevance": ("rank", int)}
"""Sort → the field of an offer that it compares, and the type of that."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a sorted list; ``key`` is None where the id is the key."""

    sort: Sort
    key: str | int | None
    id: UUID

    @property
    def position(self) -> tuple[Any, ...]:
        """Places of a list compare as these do."""
        return (self.id,) if self.key is None else (self.key, self.id)

    def __str__(self) -> str:
        if self.key is None:
            return str(self.id)
        return base64.urlsafe_b64encode(orjson.dumps([self.sort, self.key, str(self.id)])).decode()


def parse_cursor(text: str, sort: Sort) -> Cursor:
    """Read a cursor; raise ``ValueError`` if it is invalid, or belongs to a list with another sort."""
    if sort in BY_ID:
        return Cursor(sort, None, UUID(text))
    try:
        sorted_by, key, last = orjson.loads(base64.b64decode(text.encode(), altchars=b"-_", validate=True))
        place = Cursor(sorted_by, key, UUID(last))
    except (binascii.Error, TypeError, AttributeError) as error:
        raise ValueError("not a cursor") from error
    kind: Any = _KEYS[sort.removeprefix("-")][1]
    if sorted_by != sort or type(key) is not kind or (kind is int and not 0 <= key <= 10**15):
        raise ValueError("a cursor of another list")
    return place


def of(sort: Sort, row: Stage) -> Cursor:
    """The place of a product, given one of its offers."""
    return Cursor(sort, None if sort in BY_ID else row[order(sort)[0]], row["product_id"])


def order(sort: Sort) -> tuple[str, int]:
    """(field of an offer, direction) of a sort; products with the same key are in the order of their ids."""
    field = "product_id" if sort in BY_ID else _KEYS[sort.removeprefix("-")][0]
    return field, direction(sort)


def direction(sort: Sort) -> int:
    """1 upwards, -1 downwards."""
    return BY_ID.get(sort, -1 if sort.startswith("-") else 1)


def ranges(sort: Sort, after: Cursor | None) -> Sequence[Stage]:
    """What comes after a cursor, each part of it one range of an index."""
    if after is None:
        return [{}]
    path, beyond = order(sort)[0], "$gt" if direction(sort) > 0 else "$lt"
    if after.key is None:
        return [{"product_id": {beyond: after.id}}]
    return [{path: after.key, "product_id": {beyond: after.id}}, {path: {beyond: after.key}}]
