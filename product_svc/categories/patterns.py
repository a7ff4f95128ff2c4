"""Regular expressions in schemas of attributes: what they may cost, and those that are compiled.

Pydantic's engine matches in linear time, but it compiles a counted repetition into so many copies of what is
repeated, and a class like ``\\w`` into a machine for all of Unicode: ``\\w{200}`` takes 60 ms and 6 MiB, in which
nothing else happens in the process. So patterns have a size, which is limited before any is compiled.

Source: https://docs.rs/regex/latest/regex/#untrusted-input
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import SchemaError, SchemaValidator, core_schema

UNICODE_SIZE = 20
"""The size of a class that is defined by Unicode. A character has the size 1, a class of a few characters as well."""
MAX_SIZE = 1_000
"""Of one pattern: 1,000 characters, or 50 times ``\\w``."""
MAX_TOTAL_SIZE = 5_000
"""Of all patterns of a schema."""
MAX_COMPILED_SIZE = 50_000
"""Of all patterns that are kept compiled, ``COMPILED_SIZE`` included: those of ten large schemas."""
COMPILED_SIZE = 20
"""What even the smallest pattern takes when it is compiled."""
MAX_DEPTH = 20
"""Of groups in groups."""

# Other flags change what the rest of a pattern means.
_GROUP = re.compile(r"\((?:\?:|\?P?<[A-Za-z_][A-Za-z0-9_]*>|\?[ims]+:)?(?!\?)")
_FLAGS = re.compile(r"\(\?[ims]+\)")
_IGNORES_CASE = re.compile(r"\(\?[ms]*i")
_REPEAT = re.compile(r"[*+?]|\{([0-9]*)(?:,([0-9]*))?\}")
_ESCAPE = re.compile(r"\\(?:[pPxuU]\{[^}]*\}|.)", re.DOTALL)
_DEFINED_BY_UNICODE = frozenset("wWsSdDpP")


class Unsupported(ValueError):
    """The pattern is not one that this service can match."""


def size(pattern: str) -> int:
    """How large a pattern is with its repetitions written out; raise ``Unsupported``.

    Whether it is a regular expression at all is only known when it is compiled.
    """
    found, end = _size_of_sequence(pattern, 0, 0)
    if end < len(pattern):
        raise Unsupported("a group is closed that was not opened")
    return found * (UNICODE_SIZE if _IGNORES_CASE.search(pattern) else 1)


def _size_of_sequence(text: str, at: int, depth: int) -> tuple[int, int]:
    """The size of what stands before the end of a group, and where that is."""
    total = 0
    while at < len(text) and text[at] != ")":
        found, at = _size_of_atom(text, at, depth)
        while repeat := _REPEAT.match(text, at):
            found *= max([1, *(int(number) for number in repeat.groups() if number)])
            at = repeat.end()
        total += found
    return total, at


def _size_of_atom(text: str, at: int, depth: int) -> tuple[int, int]:
    if text[at] == "(":
        return _size_of_group(text, at, depth)
    if text[at] == "[":
        return _size_of_class(text, at)
    if text[at] == "\\":
        return _size_of_escape(text, at)
    return UNICODE_SIZE if text[at] == "." else len(text[at].encode()), at + 1


def _size_of_group(text: str, at: int, depth: int) -> tuple[int, int]:
    if flags := _FLAGS.match(text, at):
        return 1, flags.end()
    opened = _GROUP.match(text, at)
    if opened is None or depth == MAX_DEPTH:
        raise Unsupported("a kind of group that is not supported, or too many in each other")
    found, end = _size_of_sequence(text, opened.end(), depth + 1)
    if end == len(text):
        raise Unsupported("a group is not closed")
    return max(found, 1), end + 1


def _size_of_class(text: str, at: int) -> tuple[int, int]:
    if text.startswith(("[]", "[^]"), at):
        raise Unsupported("write ] as \\] in a class")
    found, open_classes = 1, 0
    while at < len(text):
        if text[at] == "\\":
            escaped, at = _size_of_escape(text, at)
            found += escaped
            continue
        open_classes += {"[": 1, "]": -1}.get(text[at], 0)
        found += UNICODE_SIZE * text.startswith("[^", at) + 4 * (not text[at].isascii())
        at += 1
        if not open_classes:
            return found, at
    raise Unsupported("a class is not closed")


def _size_of_escape(text: str, at: int) -> tuple[int, int]:
    escape = _ESCAPE.match(text, at)
    if escape is None:
        raise Unsupported("nothing is escaped")
    return UNICODE_SIZE if escape[0][1] in _DEFINED_BY_UNICODE else 4, escape.end()


def patterns_of(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The patterns of a schema, each after its place in the schema."""
    for name, rule in schema.get("properties", {}).items():
        for place, part in ((name, rule), (f"{name}/items", rule.get("items", {}))):
            if "pattern" in part:
                yield f"properties/{place}/pattern", part["pattern"]


@dataclass(frozen=True, slots=True)
class _Compiled:
    validator: SchemaValidator
    size: int


class Patterns:
    """Patterns that are compiled; those that were not used for longest go first."""

    def __init__(self) -> None:
        self._compiled: OrderedDict[str, _Compiled] = OrderedDict()
        self._size = 0

    def __contains__(self, pattern: str) -> bool:
        return pattern in self._compiled

    async def compile(self, patterns: Iterable[str]) -> None:
        """Compile patterns, in a thread: one after the other, so that others are served in between.

        Those that are not supported are left out.
        """
        if missing := [pattern for pattern in dict.fromkeys(patterns) if pattern not in self._compiled]:
            for pattern, compiled in await asyncio.to_thread(_compile_supported, missing):
                self._keep(pattern, compiled)

    def match(self, pattern: str, text: str) -> bool:
        """Whether a pattern is found in a text; raise ``Unsupported``."""
        if pattern not in self._compiled:
            self._keep(pattern, _compile(pattern))
        self._compiled.move_to_end(pattern)
        return self._compiled[pattern].validator.isinstance_python(text)

    def _keep(self, pattern: str, compiled: _Compiled) -> None:
        if pattern not in self._compiled:
            self._size += compiled.size
        self._compiled[pattern] = compiled
        while self._size > MAX_COMPILED_SIZE:
            _, oldest = self._compiled.popitem(last=False)
            self._size -= oldest.size


PATTERNS = Patterns()
"""Of this process."""


def _compile_supported(patterns: Iterable[str]) -> list[tuple[str, _Compiled]]:
    found = []
    for pattern in patterns:
        try:
            found.append((pattern, _compile(pattern)))
        except Unsupported:
            continue
    return found


def _compile(pattern: str) -> _Compiled:
    needed = size(pattern)
    if needed > MAX_SIZE:
        # Stored before there was a limit.
        raise Unsupported("too large")
    try:
        return _Compiled(SchemaValidator(core_schema.str_schema(pattern=pattern)), needed + COMPILED_SIZE)
    except SchemaError as error:
        raise Unsupported("not a regular expression") from error
