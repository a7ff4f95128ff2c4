"""Words of texts as searches compare them: without case and accents, and reduced to their stems. Pure.

A shop sells in English and in German, and its products have names in any language. So a word has one stem, by the
rules of both languages, one after the other: *Tassen* and *Tasse*, *mugs* and *mug* have the same. A word of a third
language is changed in the same way wherever it is written, so it is found as well. Stemming: the Snowball algorithms
(https://snowballstem.org), whose German one takes *ae* as *ä*.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import Stemmer

MAX_WORD = 50
"""Characters of a word that are compared."""
MAX_NAME = 200

# No stop words of a single letter: "a" and "I" are cheap to look for, and "C" is a language.
STOP_WORDS = frozenset(
    [
        *("an", "and", "are", "as", "at", "be", "by", "for", "from", "in", "is", "it", "of", "on", "or", "the", "to"),
        *("with", "der", "die", "das", "dem", "den", "des", "ein", "eine", "einem", "einen", "einer", "und", "oder"),
        *("für", "mit", "von", "im", "am", "zu", "zum", "zur", "aus", "bei", "auf", "ist"),
    ]
)
"""Words that a search leaves out, unless it has no others: *The Who* is a name."""

_STEMMERS = (Stemmer.Stemmer("english"), Stemmer.Stemmer("german"))
# Letters with a stroke and ligatures, which Unicode does not decompose.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ä", "œ": "ö", "þ": "th"})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_PLAIN = str.maketrans({"ä": "a", "ö": "o", "ü": "u"})
# All marks of Latin, Greek and Cyrillic letters, but for the two dots of an umlaut.
_MARKS = re.compile("(?<![aou])\u0308|[\u0300-\u0307\u0309-\u036f]")
_APOSTROPHES = re.compile(r"(?<=\w)['’](?=\w)")
_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")
"""Where no spaces are written, each character is a word."""
_QUERY = re.compile(r'(-?)"([^"]*)"?|(-?)(\S+)')


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: words that occur all; stems that do not; words in a row; the whole, as a name."""

    words: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    excluded_phrases: tuple[tuple[str, ...], ...] = ()
    name: str = ""


def parse(text: str) -> Query:
    """What a client types: words, ``"a phrase"``, ``-without``, ``-"a phrase"``."""
    wanted, excluded = list[str](), list[str]()
    phrases, excluded_phrases = list[tuple[str, ...]](), list[tuple[str, ...]]()
    for without, phrase, without_word, word in _QUERY.findall(text):
        found = words(phrase or word)
        if without or without_word:
            if len(found) == 1:
                excluded += found
            elif found:
                excluded_phrases.append(tuple(found))
        else:
            wanted += found
            if phrase and len(found) > 1:
                phrases.append(tuple(found))
    others = [word for word in wanted if word not in STOP_WORDS]
    return Query(
        words=tuple({stem(word): word for word in others or wanted}.values()),
        excluded=tuple(dict.fromkeys(map(stem, excluded))),
        phrases=tuple(phrases),
        excluded_phrases=tuple(excluded_phrases),
        name=" ".join(wanted),
    )


def words(text: str) -> list[str]:
    """The words of a text in a row, in small letters; of accents, only the dots of umlauts are left."""
    return [word[:MAX_WORD] for word in _WORD.findall(_APOSTROPHES.sub("", _letters(text)))]


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The stem of one of ``words``."""
    for one in _STEMMERS:
        word = one.stemWord(word)
    return plain(word)


def plain(text: str) -> str:
    """One of ``words``, or several, with ä as a."""
    return text.translate(_PLAIN)


def spellings(text: str) -> tuple[str, ...]:
    """One of ``words``, or several with spaces between them, with ä as a, and as ae if that is another one."""
    return tuple(dict.fromkeys((plain(text), text.translate(_UMLAUTS))))


def sort_key(name: str) -> str:
    """What a list by name compares: Ä is sorted as A (DIN 5007-1), small letters as capital ones."""
    return plain(_letters(name).strip())[:MAX_NAME]


def has_phrase(texts: Iterable[str], phrase: tuple[str, ...]) -> bool:
    """Whether one of the texts has these ``words`` in a row."""
    wanted = f" {' '.join(phrase)} "
    return any(wanted in f" {' '.join(words(text))} " for text in texts)


def _letters(text: str) -> str:
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return unicodedata.normalize("NFC", _MARKS.sub("", decomposed))
