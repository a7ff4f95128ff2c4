"""Reads the lines of an import. A line that cannot be read is a fault; the other lines of its part are not affected.

A quoted cell of CSV may have line breaks (RFC 4180 §2.6). Such a row has the number of its first line, and has to be
whole in its part; where its quotes are not closed, it is one faulty line.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import Field, ValidationError, model_validator

from chassis.http.bodies import RequestBody
from chassis.http.errors import MalformedRequest
from product_svc.catalogue.domain import Status, Variant
from product_svc.catalogue.dto import AttributesBody, Description, ImagesBody, Variants, check_skus_differ
from product_svc.categories.attribute_dto import Name
from product_svc.imports.domain import Format

MAX_LINES = 500
"""The most lines of a part, which is one transaction."""
MAX_ROW = 64 * 1024
"""The most bytes of a CSV row with line breaks."""

UNCLOSED = "a quoted cell is not closed: a row has to be whole in its part"

REQUIRED = ("sku", "name", "price", "currency")
EXPORTED = (
    *("product_id", "version", "name", "description", "category_id", "attributes", "images", "status"),
    *("sku", "price", "currency", "variant_attributes", "variant_images", "variant_status"),
)
COLUMNS = ("handle", *EXPORTED)
"""What an import knows; products have no handle, so an export has none."""
BOM = b"\xef\xbb\xbf"
"""What some programs put before text in UTF-8."""
MAX_HANDLE = 200
OF_PRODUCT = ("name", "description", "category_id", "attributes", "images", "status")

FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""What a spreadsheet would compute, with any number of apostrophes before it (OWASP, CSV injection). The last four
are the full-width forms."""


def neutralised(cell: str) -> str:
    """Text as a cell that a spreadsheet takes as text: with an apostrophe before what would be a formula.

    One more before those that the text has already: so ``original`` finds out what it was, whatever it was.
    """
    return f"'{cell}" if FORMULA.match(cell) else cell


def original(cell: str) -> str:
    """The text of a cell that may have been neutralised."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


class ProductLine(RequestBody):
    """A product as a line has it. Fields that are left out are not changed; a new product gets their defaults."""

    id: UUID | None = None
    version: Annotated[int, Field(ge=1, le=2**53)] | None = None
    """The product is changed only if it still has this version."""
    name: Name
    description: Description = ""
    category_id: UUID | None = None
    attributes: AttributesBody = Field(default_factory=dict)
    images: ImagesBody = Field(default_factory=list)
    status: Status = "active"
    variants: Variants

    @model_validator(mode="after")
    def _skus_differ(self) -> "ProductLine":
        check_skus_differ(self.variants)
        return self

    def to_variants(self) -> list[Variant]:
        """The variants as values."""
        return [variant.to_variant(variant.sku) for variant in self.variants]

    def changes(self) -> dict[str, Any]:
        """Field → value, of those that the line has, without the variants."""
        sent = {name: getattr(self, name) for name in self.model_fields_set - {"id", "version", "variants"}}
        return sent | ({"images": tuple(self.images)} if "images" in sent else {})


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """A line: a product, or the error that makes it a fault, or neither where it is blank or the heading."""

    number: int
    product: ProductLine | None = None
    error: str | None = None
    group: str | None = None
    """The handle of a row of CSV, or else its name: consecutive rows that share it are variants of one product."""


Decode = Callable[[bytes], tuple[bytes, str | None]]
"""A line as JSON, and its group."""


@dataclass(frozen=True, slots=True)
class Part:
    """Lines that were sent together; ``columns`` is the heading, if it is one of them."""

    lines: Sequence[ParsedLine]
    columns: tuple[str, ...] | None = None


def read_part(content: bytes, form: Format, first: int, columns: Sequence[str] | None) -> Part:
    """Read a part whose first line has this number in the file.

    Raise ``MalformedRequest`` if it has no line or too many, or an invalid CSV heading.
    """
    if first == 1:
        content = content.removeprefix(BOM)
    lines = content.removesuffix(b"\n").split(b"\n")
    if not content or len(lines) > MAX_LINES:
        raise _malformed("body", f"a part has 1 to {MAX_LINES} lines")
    heading = _heading(lines[0]) if form == "csv" and first == 1 else None
    known = heading or tuple(columns or ())
    decode: Decode = _from_csv(known) if form == "csv" else _unchanged
    rows = _rows(lines) if form == "csv" else lines
    numbered = enumerate(rows, first)
    return Part([_parse(n, row, decode, heading=bool(heading) and n == 1) for n, row in numbered], heading)


def _rows(lines: Sequence[bytes]) -> Iterator[bytes]:
    """The row that begins on each line; nothing for a line on which one continues."""
    at = 0
    while at < len(lines):
        count = _lines_of_row(lines[at:]) if b'"' in lines[at] else 1
        yield b"\n".join(lines[at : at + count])
        yield from [b""] * (count - 1)
        at += count


def _lines_of_row(lines: Sequence[bytes]) -> int:
    reader = csv.reader(_within_limit(lines), strict=True)
    try:
        next(reader)
    except (csv.Error, ValueError):
        return 1
    return reader.line_num


def _within_limit(lines: Sequence[bytes]) -> Iterator[str]:
    # Otherwise a part of nothing but opening quotes would be read once for each of its lines.
    size = 0
    for line in lines:
        yield f"{line.decode()}\n"
        size += len(line)
        if size > MAX_ROW:
            return


def _parse(number: int, line: bytes, decode: Decode, *, heading: bool) -> ParsedLine:
    if heading or not line.strip():
        return ParsedLine(number)
    try:
        document, group = decode(line)
        return ParsedLine(number, ProductLine.model_validate_json(document), group=group)
    except ValidationError as error:
        return ParsedLine(number, error="; ".join(_messages(error)))
    except csv.Error as error:
        return ParsedLine(number, error=UNCLOSED if "end of data" in str(error) else str(error)[:200])
    except ValueError as error:
        return ParsedLine(number, error=str(error)[:200])


def _messages(error: ValidationError) -> Iterator[str]:
    # The input is not repeated, only the place.
    for one in error.errors(include_input=False, include_url=False)[:5]:
        yield f"{'/'.join(map(str, one['loc']))[:100] or 'line'}: {one['msg'][:200]}"


def _unchanged(line: bytes) -> tuple[bytes, None]:
    return line, None


def _heading(line: bytes) -> tuple[str, ...]:
    try:
        names = tuple(_cells(line))
    except (csv.Error, ValueError) as error:
        raise _malformed("body/1", "the heading cannot be read") from error
    unknown = [name[:50] for name in names if name not in COLUMNS]
    missing = [name for name in REQUIRED if name not in names]
    if unknown or missing or len(set(names)) < len(names):
        raise _malformed(
            "body/1", f"unknown columns: {unknown}, missing: {missing}; allowed, each once: {list(COLUMNS)}"
        )
    return names


def _from_csv(columns: Sequence[str]) -> Decode:
    def decode(line: bytes) -> tuple[bytes, str | None]:
        cells = [original(cell) for cell in _cells(line)]
        if len(cells) != len(columns):
            raise ValueError(f"{len(cells)} cells under {len(columns)} columns")
        given = {name: cell for name, cell in zip(columns, cells, strict=True) if cell}
        if len(given.get("handle", "")) > MAX_HANDLE:
            raise ValueError(f"handle: String should have at most {MAX_HANDLE} characters")
        return orjson.dumps(_product(given)), given.get("handle", given.get("name"))

    return decode


def _cells(line: bytes) -> list[str]:
    return next(csv.reader([line.decode().removesuffix("\r")], strict=True))


def _product(cells: Mapping[str, str]) -> dict[str, Any]:
    """A row as a line of NDJSON; a cell that cannot be converted is left unchanged, and refused there."""
    own = {name: _value(name, cells[name]) for name in OF_PRODUCT if name in cells}
    variant = {
        name: _value(name, cells[f"variant_{name}"])
        for name in ("attributes", "images", "status")
        if f"variant_{name}" in cells
    }
    price = {"amount": _number(cells.get("price", ""))}
    price |= {name: cells[name] for name in ("currency",) if name in cells}
    variant |= {"price": price} | {name: cells[name] for name in ("sku",) if name in cells}
    known: dict[str, Any] = {"id": cells["product_id"]} if "product_id" in cells else {}
    known |= {"version": _number(cells["version"])} if "version" in cells else {}
    return {**known, **own, "variants": [variant]}


def _number(cell: str) -> int | str:
    return int(cell) if cell.isascii() and cell.isdigit() and len(cell) < 20 else cell


def _value(name: str, cell: str) -> Any:
    if name == "images":
        return cell.split()
    if name == "attributes":
        try:
            return orjson.loads(cell)
        except orjson.JSONDecodeError:
            return cell
    return cell


def _malformed(where: str, what: str) -> MalformedRequest:
    return MalformedRequest(errors=[{"where": where, "what": what, "type": "value_error"}])
