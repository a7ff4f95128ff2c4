"""Pages of a list of products: the offers that match in the order of an index, or all of them if they are few."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from product_svc.search import cursor, filters
from product_svc.search.cursor import Cursor
from product_svc.search.domain import Search, Sort
from product_svc.search.filters import Driver, Stage
from product_svc.search.indexes import BY_NAME, BY_PRICE, BY_PRODUCT
from product_svc.search.reads import Reads

MAX_ROUNDS = 20
"""Reads for a page. Then it ends, full or not, and the next one continues there."""
MAX_BATCH = 500
INDEX: dict[str, str] = {"product_id": BY_PRODUCT, "name": BY_NAME, "amount": BY_PRICE}


@dataclass(slots=True)
class Listed:
    """Places of products in a list, and the cursor after them if there are more."""

    places: list[Cursor] = field(default_factory=list)
    next: Cursor | None = None

    @classmethod
    def of(cls, places: Sequence[Cursor], limit: int) -> "Listed":
        """The first of these places."""
        return cls(list(places[:limit]), places[limit - 1] if len(places) > limit else None)


async def in_order(
    reads: Reads,
    search: Search,
    categories: Sequence[UUID] | None,
    driver: Driver,
    sort: Sort,
    after: Cursor | None,
    limit: int,
) -> Listed:
    """A page, in the order of an index, read until it is full: a product is where its first or lowest offer is."""
    listed = dict[UUID, Cursor]()
    # Several offers can be of one product.
    batch = 2 * (limit + 1) if search.of_variants else limit + 1
    by_offer = sort.endswith("price") or search.available is False
    for _ in range(MAX_ROUNDS):
        rows = await _read(reads, driver.match(search), sort, after, batch, by_offer=by_offer)
        whole = await _products_of(reads, search, categories, rows) if by_offer else None
        for row in rows:
            place = cursor.of(sort, row)
            if whole is None or whole.has(place, row):
                listed.setdefault(place.id, place)
        if len(rows) < batch or len(listed) > limit:
            return Listed.of(list(listed.values()), limit)
        after, batch = cursor.of(sort, rows[-1]), min(2 * batch, MAX_BATCH)
    return Listed(list(listed.values()), after)


def few(rows: Iterable[Stage], search: Search, sort: Sort, after: Cursor | None, limit: int) -> Listed:
    """A page of products whose offers that match are all known."""
    found = Offered.of(rows, search)
    return Listed.of(after_cursor((cursor.of(sort, row) for row in found.rows.values()), sort, after), limit)


def after_cursor(places: Iterable[Cursor], sort: Sort, after: Cursor | None) -> list[Cursor]:
    """Places in the order of the list, from a cursor on."""
    direction = cursor.direction(sort)
    in_order = sorted(places, key=lambda place: place.position, reverse=direction < 0)
    return [place for place in in_order if after is None or direction * _compared(place, after) > 0]


@dataclass(slots=True)
class Offered:
    """Products by their offers that match."""

    rows: dict[UUID, Stage]
    """Product → its lowest offer."""

    @classmethod
    def of(cls, rows: Iterable[Stage], search: Search) -> "Offered":
        """Products by these offers, which are all that match; with ``available=false`` those without one that is."""
        lowest, unwanted = dict[UUID, Stage](), set[UUID]()
        for row in rows:
            known = lowest.setdefault(row["product_id"], row)
            if _amount(row) < _amount(known):
                lowest[row["product_id"]] = row
            if search.available is False and row["available"]:
                unwanted.add(row["product_id"])
        return cls({id_: row for id_, row in lowest.items() if id_ not in unwanted})

    def has(self, place: Cursor, row: Stage) -> bool:
        """Whether a product is in the list, at this offer."""
        known = self.rows.get(place.id)
        return known is not None and (not place.sort.endswith("price") or row["amount"] == known["amount"])


async def _read(
    reads: Reads, match: Stage, sort: Sort, after: Cursor | None, limit: int, *, by_offer: bool
) -> list[Stage]:
    path, direction = cursor.order(sort)
    order = [(path, direction)] if path == "product_id" else [(path, direction), ("product_id", direction)]
    # Without more fields than the index has, no document is read.
    fields = ["product_id", path, *(("amount", "available", "alone") if by_offer else ())]
    found = list[Stage]()
    for range_ in cursor.ranges(sort, after):
        conditions = filters.both(match, range_)
        found += await reads.offers(conditions, INDEX[path], fields, order=order, limit=limit - len(found))
        if len(found) == limit:
            break
    return found


async def _products_of(
    reads: Reads, search: Search, categories: Sequence[UUID] | None, rows: Sequence[Stage]
) -> Offered:
    """The products of some offers by all their offers that match."""
    several = {row["product_id"] for row in rows if not row["alone"]}
    others = list[Stage]()
    if several:
        match = filters.of_products(search, categories, several, one_each=False)
        fields = ["product_id", "amount", "available"]
        others = await reads.offers(match, BY_PRODUCT, fields, limit=0)
    return Offered.of([*(row for row in rows if row["alone"]), *others], search)


def _amount(row: Stage) -> float:
    amount: float | None = row.get("amount")
    return float("inf") if amount is None else amount


def _compared(one: Cursor, other: Cursor) -> int:
    return int(one.position > other.position) - int(one.position < other.position)
