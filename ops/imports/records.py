"""What is read of a file: one record for each product, row or blank line, with the faults that are found here."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

Format = Literal["ndjson", "csv"]

MAX_LINES = 500
"""The most lines of a part."""
MAX_BYTES = 250 * 1024
"""The most bytes of a part: a little less than product_svc takes."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why something of a file is not imported. ``line`` is that of the file, from 1; ``code`` is stable."""

    line: int
    field: str
    reason: str
    code: str = "malformed_line"


@dataclass(frozen=True, slots=True)
class Record:
    """Something that is sent as it is, as one line of an import or several.

    ``lines`` are those of the file that it was made of: one for each variant, where it is a product with variants.
    """

    lines: tuple[int, ...]
    content: bytes = b""
    """Without the line break at its end; nothing where it is faulty or blank, which is sent as a blank line."""
    faults: tuple[Fault, ...] = field(default=())

    @property
    def length(self) -> int:
        """How many lines of the import it is."""
        return self.content.count(b"\n") + 1


class Source(Protocol):
    """A file that can be read several times, and says the same each time."""

    @property
    def format(self) -> Format:
        """What is sent."""

    def records(self) -> Iterator[Record]:
        """Read it from the beginning, a little at a time; raise ``CannotDo`` where that is impossible."""


@dataclass(frozen=True, slots=True)
class Part:
    """Lines that are sent together."""

    first_line: int
    length: int
    body: bytes


def bounded(records: Iterable[Record]) -> Iterator[Record]:
    """Records that fit in a part; one that is too large becomes a fault."""
    for record in records:
        if len(record.content) >= MAX_BYTES or record.length > MAX_LINES:
            fault = Fault(record.lines[0], "line", f"is longer than {MAX_BYTES // 1024} KiB or {MAX_LINES} lines")
            yield Record(record.lines, faults=(*record.faults, fault))
        else:
            yield record


def parts(records: Iterable[Record], first_line: int = 1) -> Iterator[Part]:
    """The parts of an import from this line on, which is the first of a record."""
    at, begun, length, waiting = 1, first_line, 0, list[bytes]()
    size = 0
    for record in records:
        at += record.length
        if at <= first_line:
            continue
        if waiting and (length + record.length > MAX_LINES or size + len(record.content) + 1 > MAX_BYTES):
            yield Part(begun, length, b"".join(waiting))
            begun, length, size, waiting = begun + length, 0, 0, []
        waiting.append(record.content + b"\n")
        length, size = length + record.length, size + len(record.content) + 1
    if waiting:
        yield Part(begun, length, b"".join(waiting))
