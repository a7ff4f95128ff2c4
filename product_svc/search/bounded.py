"""Searches with a bound on what they cost all others: anybody can send them, without a token.

A page that an index gives in order costs little, and is read at once. Of other searches few run at a time, and counts
(facets) are kept for some seconds: they are the same for everybody.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from time import monotonic

from chassis.persistence.mongo.database import Mongo
from chassis.runtime.gate import Gate
from chassis.runtime.single_flight import SingleFlight
from product_svc.catalogue.domain import Product
from product_svc.errors import TooManySearches
from product_svc.search import queries
from product_svc.search.cursor import Cursor
from product_svc.search.domain import Search, Sort, in_order_of_an_index
from product_svc.search.dto import FacetsOut, facets_out

clock = monotonic

AT_ONCE, WAITING, WAIT_SECONDS = 2, 20, 2.0
COUNTS_AT_ONCE, COUNTS_WAITING = 1, 10
"""Counts read every product that matches, so one at a time: with two, orders wait for a free core."""
COUNTED_IN = 0.5
"""Seconds. Counts that took longer to make are kept longer in proportion."""
MAX_KEPT = 100


@dataclass(frozen=True, slots=True)
class _Kept:
    counts: FacetsOut
    until: float


class BoundedSearches:
    """The searches of a process. Counts are kept for ``kept_seconds``."""

    def __init__(self, database: Mongo, kept_seconds: float) -> None:
        self._database, self._kept_seconds = database, kept_seconds
        self._searches = Gate(AT_ONCE, WAITING, WAIT_SECONDS, TooManySearches)
        self._counts = Gate(COUNTS_AT_ONCE, COUNTS_WAITING, WAIT_SECONDS, TooManySearches)
        self._counting: SingleFlight[FacetsOut] = SingleFlight()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    async def products(
        self, search: Search, sort: Sort, after: Cursor | None, limit: int
    ) -> tuple[list[Product], str | None]:
        """As ``queries.products``; raise ``TooManySearches``."""
        if in_order_of_an_index(search, sort):
            return await queries.products(self._database, search, sort, after, limit)
        async with self._searches.enter():
            return await queries.products(self._database, search, sort, after, limit)

    async def facets(self, search: Search) -> FacetsOut:
        """The counts of ``queries.facets``, some seconds old; raise ``TooManySearches``."""
        key = search.key
        if (kept := self._kept.get(key)) and kept.until > clock():
            return kept.counts
        return await self._counting(key, lambda: self._count(key, search))

    async def _count(self, key: Hashable, search: Search) -> FacetsOut:
        async with self._counts.enter():
            began = clock()
            counts = facets_out(await queries.facets(self._database, search))
            ended = clock()
        seconds = self._kept_seconds * max(1.0, (ended - began) / COUNTED_IN)
        self._kept[key] = _Kept(counts, ended + seconds)
        self._kept.move_to_end(key)
        if len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return counts
