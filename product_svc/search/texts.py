"""Finds products by words: few of them, the best ones, however many there are.

A product that is called what the client typed is better than one that has all the words in its name, as they are or
in another form, and that one is better than one that has them anywhere.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from product_svc.catalogue.search_fields import ANYWHERE, BEGINNING, IN_NAME, exact, pair, texts
from product_svc.catalogue.store import read_product
from product_svc.catalogue.words import Query, has_phrase, parse, plain, stem
from product_svc.search.filters import Stage, one_of
from product_svc.search.indexes import BY_TERM
from product_svc.search.reads import Reads

MAX_FOUND, ENOUGH = 1_000, 50
"""Products that are found by words: the best ones. All other filters, sorts and counts are of these. If enough have
the words in their names, others are not looked for."""
MAX_READ = 2_000
"""Products with the rarest of several words that are looked at for the others."""
LAST = 9
"""The rank of products that have the words, but not all in their names."""
MAX_COUNTED = 4
"""Words that are counted, to find the rarest; the longest ones."""
MAX_PHRASED, CHUNK, MAX_TEXT = 200, 20, 20_000
"""Products whose texts are read to find words in a row, so many at once; and characters of each."""


@dataclass(slots=True)
class Found:
    """Product → how well it matches, 0 is best; ``more``: whether there may be others."""

    ranks: dict[UUID, int] = field(default_factory=dict)
    more: bool = False

    def add(self, rank: int, ids: Sequence[UUID], more: bool) -> None:
        """Add products that are not found yet."""
        for one in ids:
            self.ranks.setdefault(one, rank)
        self.more |= more


async def found(reads: Reads, text: str, statuses: Sequence[str]) -> Found:
    """The products in which all words occur."""
    query, result = parse(text), Found()
    if not query.words or not statuses:
        return result
    status = {"status": one_of(statuses)}
    for rank, (best, *others) in enumerate(_named(query)):
        result.add(rank, *await _ids(reads, {"search.terms": best, **status}, others, query.excluded))
    if len(result.ranks) < ENOUGH:
        best, *others = (f"{ANYWHERE}{stem(word)}" for word in await _by_frequency(reads, query.words, status))
        result.add(LAST, *await _ids(reads, {"search.terms": best, **status}, others, query.excluded))
    else:
        result.more = True
    if query.phrases or query.excluded_phrases:
        await _keep_phrases(reads, query, result)
    return result


def _named(query: Query) -> list[list[Any]]:
    """The terms that the name of a product has all, best products first; by the first of each the index is read."""
    longest = sorted(query.words, key=len, reverse=True)
    stems = [f"{IN_NAME}{stem(word)}" for word in longest]
    alone = [[f"{BEGINNING}{plain(longest[0])}"], stems]
    # A product with a name of more words than make pairs is found by its other texts, of which the name is one.
    in_name = alone if len(longest) == 1 else [[pair(longest[0], longest[1]), *stems[2:]]]
    return [[one_of(list(exact(query.name)))], *in_name]


async def _ids(reads: Reads, match: Stage, others: Sequence[str], excluded: Sequence[str]) -> tuple[list[UUID], bool]:
    """The products with a term and all others, of the first ones with that term; and whether there may be more."""
    unwanted = [f"{ANYWHERE}{stem}" for stem in excluded]
    # As expressions, so that the index is read by the one term, and by no other.
    conditions: list[Stage] = [{"$setIsSubset": [others, "$search.terms"]}] if others else []
    conditions += [{"$eq": [{"$setIntersection": [unwanted, "$search.terms"]}, []]}] if unwanted else []
    most = MAX_READ if conditions else MAX_FOUND
    kept: Stage = {"$and": conditions} if conditions else {"$literal": True}
    stages: list[Stage] = [{"$match": match}, {"$sort": {"_id": 1}}, {"$limit": most}, {"$project": {"kept": kept}}]
    read = await reads.products(stages, BY_TERM)
    return [one["_id"] for one in read if one["kept"]][:MAX_FOUND], len(read) == most


async def _by_frequency(reads: Reads, words: Sequence[str], status: Stage) -> list[str]:
    """The words, the rarest of the longest ones first."""
    if len(words) == 1:
        return list(words)
    longest = sorted(words, key=len, reverse=True)
    counts = {
        word: await reads.count_products({"search.terms": f"{ANYWHERE}{stem(word)}", **status}, BY_TERM, MAX_READ)
        for word in longest[:MAX_COUNTED]
    }
    return sorted(longest, key=lambda word: counts.get(word, MAX_READ))


async def _keep_phrases(reads: Reads, query: Query, result: Found) -> None:
    """Read the texts of what was found: no index knows in which order words are."""
    best = dict(list(result.ranks.items())[:MAX_PHRASED])
    result.more |= len(best) < len(result.ranks)
    kept = set[UUID]()
    for start in range(0, len(best), CHUNK):
        ids = list(best)[start : start + CHUNK]
        match: Stage = {"$match": {"_id": {"$in": ids}}}
        for document in await reads.products([match, {"$unset": "search"}], "_id_"):
            id_, product = read_product(document)
            if _has_phrases(query, list(_beginning(texts(product)))):
                kept.add(id_)
    result.ranks = {id_: rank for id_, rank in best.items() if id_ in kept}


def _has_phrases(query: Query, read: Sequence[str]) -> bool:
    wanted = all(has_phrase(read, phrase) for phrase in query.phrases)
    return wanted and not any(has_phrase(read, phrase) for phrase in query.excluded_phrases)


def _beginning(found: Iterable[str]) -> Iterator[str]:
    left = MAX_TEXT
    for text in found:
        yield text[:left]
        left -= len(text)
        if left <= 0:
            return
