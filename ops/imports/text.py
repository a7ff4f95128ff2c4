"""Text files as people have them: with byte order marks, of other encodings, without a last line break."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from ops.errors import CannotDo

MAX_ROW = 64 * 1024
"""The most characters of a row of CSV with line breaks; beyond, its quote counts as never closed."""
LONGEST = 1024 * 1024
"""Characters of a line that no file of products has, which would fill the memory."""
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""Byte order marks of encodings that nobody has to name."""


def lines(path: Path, encoding: str) -> Iterator[str]:
    """The lines of a file, without their line breaks; raise ``CannotDo`` where it cannot be read as text."""
    number = 0
    try:
        with path.open(encoding=_encoding(path, encoding), newline="\n") as file:
            for number, line in enumerate(iter(partial(file.readline, LONGEST), ""), 1):
                if len(line) == LONGEST:
                    raise CannotDo(f"line {number} of {path} is too long for one of a list of products")
                yield line.removesuffix("\n").removesuffix("\r")
    except UnicodeError as error:
        raise CannotDo(
            f"{path} is no text in {encoding}, at or after line {number + 1}: save it as UTF-8, or set --encoding"
        ) from error
    except OSError as error:
        raise CannotDo(f"{path} cannot be read: {error.strerror or error}") from error


def _encoding(path: Path, encoding: str) -> str:
    with path.open("rb") as file:
        marked = MARKS.get(file.read(2))
    return marked or ("utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of CSV, which begins on this line; ``cells`` is None where it cannot be read, and ``wrong`` says why."""

    line: int
    text: str
    cells: Sequence[str] | None
    wrong: str = ""


def rows(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    """The rows of a CSV file, also those with line breaks in quoted cells (RFC 4180 §2.6).

    Where quotes are not closed, only their line is faulty: what follows is read on.
    """
    ahead, waiting, number = lines(path, encoding), deque[str](), 1
    while True:
        if not waiting:
            waiting.extend(islice(ahead, 1))
        if not waiting:
            return
        row, count = _row(number, waiting, ahead, delimiter)
        yield row
        for _ in range(count):
            waiting.popleft()
        number += count


def _row(number: int, waiting: deque[str], ahead: Iterator[str], delimiter: str) -> tuple[Row, int]:
    if '"' not in waiting[0]:
        return Row(number, waiting[0], waiting[0].split(delimiter)), 1
    reader = csv.reader(_following(waiting, ahead), strict=True, delimiter=delimiter)
    try:
        cells = next(reader)
    except (csv.Error, StopIteration) as error:
        wrong = "a quoted cell is not closed" if "end of data" in str(error) else str(error)
        return Row(number, waiting[0], None, wrong), 1
    count = reader.line_num
    return Row(number, "\n".join(islice(waiting, count)), cells), count


def _following(waiting: deque[str], ahead: Iterator[str]) -> Iterator[str]:
    """The lines from the first of ``waiting`` on, to which it adds what it reads."""
    size, at = 0, 0
    while size <= MAX_ROW:
        if at == len(waiting):
            line = next(ahead, None)
            if line is None:
                return
            waiting.append(line)
        yield f"{waiting[at]}\n"
        size += len(waiting[at])
        at += 1
