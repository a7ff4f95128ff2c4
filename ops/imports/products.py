"""Rows of other shop programs, and the products that are made of them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import orjson

from ops.imports.plain import Reading
from ops.imports.records import Fault, Record

BLOCKS = {"p", "br", "div", "li", "ul", "ol", "tr", "h1", "h2", "h3", "h4", "h5", "h6"}
"""The elements of HTML that begin on a line of their own."""
HIDDEN = {"script", "style"}


@dataclass(frozen=True, slots=True)
class Cells:
    """A row: column → text, and the line that it begins on."""

    line: int
    values: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        """The text of a cell, without spaces at its ends; empty where there is none."""
        return self.values.get(column, "").strip()


@dataclass(slots=True)
class Draft:
    """A product that is being put together from its rows."""

    line: int
    fields: dict[str, Any]
    variants: list[dict[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def add_variant(self, line: int, sku: str, price: str, reading: Reading, **fields: Any) -> None:
        """Add a variant, or the fault that its row has."""
        wrong = None if sku else Fault(line, "SKU", "is missing: every variant needs one")
        amount = 0
        try:
            amount = reading.price(price, reading.currency or "")
        except ValueError as error:
            wrong = wrong or Fault(line, "price", str(error))
        if wrong:
            self.faults.append(wrong)
            return
        kept = {name: value for name, value in fields.items() if value}
        self.variants.append({"sku": sku, "price": {"amount": amount, "currency": reading.currency}, **kept})
        self.lines.append(line)

    def record(self) -> Record:
        """What is sent of it."""
        if not self.variants:
            faults = self.faults or [Fault(self.line, "variants", "there is none")]
            return Record((self.line,), faults=tuple(faults))
        product = {name: value for name, value in self.fields.items() if value} | {"variants": self.variants}
        return Record(tuple(self.lines), orjson.dumps(product), tuple(self.faults))


def attributes(pairs: Iterator[tuple[str, str | Sequence[str]]]) -> dict[str, Any]:
    """Attributes with names that product_svc takes, without those that say nothing."""
    named = ((attribute_name(name), value) for name, value in pairs)
    return {name: value for name, value in named if name and value}


def attribute_name(text: str) -> str:
    """``Frame colour`` → ``frame_colour``; empty where nothing of it is left."""
    return re.sub(r"[^a-z0-9_-]+", "_", text.lower()).strip("_").lstrip("0123456789-_")[:64]


def listed(text: str, separator: str = ",") -> list[str]:
    """The parts of a list in a cell."""
    return [part for one in text.split(separator) if (part := " ".join(one.split()))]


def urls(*texts: str) -> list[str]:
    """The web addresses in cells, each once: images of which there is only a path on a server are left out."""
    found = (one for text in texts for one in listed(text) if re.match(r"https?://", one))
    return list(dict.fromkeys(found))[:20]


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, _attrs: Any) -> None:
        self._hidden += tag in HIDDEN
        self.parts += ["\n"] * (tag in BLOCKS)

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in HIDDEN and self._hidden > 0
        self.parts += ["\n"] * (tag in BLOCKS - {"br"})

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(" ".join(data.split(" ")))


def as_text(html: str) -> str:
    """What a description says, without its HTML."""
    parser = _Text()
    parser.feed(html.replace("\\n", "\n"))
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.parts).splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
