"""Searches with a bound on what they cost all others: anybody can send them, without a token.

A page that an index gives in order costs little, and is read at once. Of other searches few run at a time, and counts
and suggestions are kept for some seconds: they are the same for everybody.
"""

from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar

from chassis.persistence.mongo.database import Mongo
from chassis.runtime.gate import Gate
from chassis.runtime.single_flight import SingleFlight
from product_svc.catalogue.domain import Product
from product_svc.catalogue.words import words
from product_svc.errors import TooManySearches
from product_svc.search import queries
from product_svc.search.counts import Total
from product_svc.search.cursor import Cursor
from product_svc.search.domain import Search, Sort, in_order_of_an_index
from product_svc.search.dto import FacetsOut, facets_out
from product_svc.search.suggestions import MAX_SHOWN, Suggestion, suggestions

T = TypeVar("T")

clock = monotonic

AT_ONCE, WAITING, WAIT_SECONDS = 2, 20, 2.0
COUNTS_AT_ONCE, COUNTS_WAITING = 1, 10
"""Counts read thousands of offers, so one at a time: with two, orders wait for a free core."""
SUGGESTIONS_AT_ONCE, SUGGESTIONS_WAITING = 2, 50
COUNTED_IN = 0.5
"""Seconds. Counts that took longer to make are kept longer in proportion."""
MAX_FACETS, MAX_SMALL = 100, 500
"""Results that are kept at most: facets have hundreds of values, totals and suggestions few."""


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    result: T
    until: float


class Kept(Generic[T]):
    """At most so many results that are kept for ``seconds``; requests for one that is being made share it."""

    def __init__(self, gate: Gate, seconds: float, most: int) -> None:
        self._gate, self._seconds, self._most = gate, seconds, most
        self._making: SingleFlight[T] = SingleFlight()
        self._kept: OrderedDict[Hashable, _Kept[T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    async def get(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result for a key, some seconds old; raise the refusal of the gate."""
        if (kept := self._kept.get(key)) and kept.until > clock():
            return kept.result
        return await self._making(key, lambda: self._make(key, make))

    async def _make(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        async with self._gate.enter():
            began = clock()
            result = await make()
            ended = clock()
        seconds = self._seconds * max(1.0, (ended - began) / COUNTED_IN)
        self._kept[key] = _Kept(result, ended + seconds)
        self._kept.move_to_end(key)
        while len(self._kept) > self._most or next(iter(self._kept.values())).until < ended:
            self._kept.popitem(last=False)
        return result


class BoundedSearches:
    """The searches of a process. Counts and suggestions are kept for ``kept_seconds``."""

    def __init__(self, database: Mongo, kept_seconds: float) -> None:
        self._database = database
        self._searches = Gate(AT_ONCE, WAITING, WAIT_SECONDS, TooManySearches)
        counting = Gate(COUNTS_AT_ONCE, COUNTS_WAITING, WAIT_SECONDS, TooManySearches)
        suggesting = Gate(SUGGESTIONS_AT_ONCE, SUGGESTIONS_WAITING, WAIT_SECONDS, TooManySearches)
        self._facets: Kept[FacetsOut] = Kept(counting, kept_seconds, MAX_FACETS)
        self._totals: Kept[Total] = Kept(counting, kept_seconds, MAX_SMALL)
        self._suggestions: Kept[list[Suggestion]] = Kept(suggesting, kept_seconds, MAX_SMALL)

    async def products(
        self, search: Search, sort: Sort, after: Cursor | None, limit: int
    ) -> tuple[list[Product], str | None]:
        """As ``queries.products``; raise ``TooManySearches``."""
        if in_order_of_an_index(search, sort):
            return await queries.products(self._database, search, sort, after, limit)
        async with self._searches.enter():
            return await queries.products(self._database, search, sort, after, limit)

    async def total(self, search: Search) -> Total:
        """How many products match; raise ``TooManySearches``."""
        return await self._totals.get(search.key, lambda: queries.total(self._database, search))

    async def facets(self, search: Search) -> FacetsOut:
        """The counts of ``queries.facets``; raise ``TooManySearches``."""

        async def make() -> FacetsOut:
            return facets_out(await queries.facets(self._database, search))

        return await self._facets.get(search.key, make)

    async def suggestions(self, text: str, limit: int) -> list[Suggestion]:
        """What a client may be about to type; raise ``TooManySearches``."""
        typed = " ".join(words(text))
        return (await self._suggestions.get(typed, lambda: suggestions(self._database, typed, MAX_SHOWN)))[:limit]
