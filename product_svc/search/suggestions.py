"""What a client may be about to type: the names of products that begin like it, or that have a word that does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.persistence.mongo.database import Mongo
from product_svc.catalogue.search_fields import BEGINNING, EXACT, IN_NAME
from product_svc.catalogue.words import spellings, stem, words
from product_svc.search.filters import Stage
from product_svc.search.indexes import BY_TERM
from product_svc.search.reads import Reads

MAX_READ = 200
"""Products that are looked at for a suggestion."""
MAX_SHOWN = 20
LAST = "\U0010ffff"
"""Behind every text that begins like another one."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The name of a product that is for sale."""

    name: str
    product_id: UUID


async def suggestions(database: Mongo, text: str, limit: int) -> list[Suggestion]:
    """Names that begin with a text, or whose SKUs do; then those with all its words, of the last the beginning."""
    typed = words(text)
    if not typed:
        return []
    reads, found = Reads(database), dict[tuple[str, ...], Suggestion]()
    for stages in (_whole(typed), _by_word(typed)):
        for document in await reads.products(stages, BY_TERM):
            name = document["name"]
            found.setdefault(tuple(words(name)), Suggestion(name, document["_id"]))
        if len(found) >= limit:
            break
    return list(found.values())[:limit]


def _whole(typed: Sequence[str]) -> list[Stage]:
    return _read(list(_beginning(EXACT, " ".join(typed))), [])


def _by_word(typed: Sequence[str]) -> list[Stage]:
    *complete, last = typed
    return _read(list(_beginning(BEGINNING, last)), [f"{IN_NAME}{stem(word)}" for word in complete])


def _beginning(kind: str, text: str) -> Iterator[Stage]:
    for spelling in spellings(text):
        # About one term: else a product with one term behind the first and another before the second would match.
        yield {"search.terms": {"$elemMatch": {"$gte": f"{kind}{spelling}", "$lt": f"{kind}{spelling}{LAST}"}}}


def _read(ranges: Sequence[Stage], others: Sequence[str]) -> list[Stage]:
    """Read the first products in the ranges, and keep those with the other terms."""
    match: dict[str, Any] = {"status": "active", **(ranges[0] if len(ranges) == 1 else {"$or": list(ranges)})}
    kept: list[Stage] = [{"$match": {"$expr": {"$setIsSubset": [list(others), "$search.terms"]}}}] if others else []
    return [{"$match": match}, {"$limit": MAX_READ}, *kept, {"$project": {"name": 1}}]
