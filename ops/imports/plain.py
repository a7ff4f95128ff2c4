"""Files in the formats of product_svc, perhaps with other prices, delimiters or encodings than it takes."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import orjson

from ops.errors import CannotDo
from ops.imports.prices import to_minor_units
from ops.imports.records import Fault, Format, Record
from ops.imports.text import Row, lines, rows


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read."""

    encoding: str = "utf-8"
    delimiter: str = ","
    decimal_prices: bool = False
    decimal_comma: bool = False
    currency: str | None = None
    """That of prices in files that name none."""

    @property
    def decimal(self) -> bool:
        """Whether prices have a decimal mark, and are no minor units."""
        return self.decimal_prices or self.decimal_comma

    def price(self, text: str, currency: str) -> int:
        """A price in minor units; raise ``ValueError`` with the reason."""
        return to_minor_units(text, currency, comma=self.decimal_comma)


@dataclass(frozen=True, slots=True)
class NdjsonFile:
    """A product a line."""

    path: Path
    reading: Reading

    @property
    def format(self) -> Format:
        """What is sent."""
        return "ndjson"

    def records(self) -> Iterator[Record]:
        """Every line, and nothing more."""
        for number, line in enumerate(lines(self.path, self.reading.encoding), 1):
            if self.reading.decimal and line.strip():
                yield self._with_minor_units(number, line)
            else:
                yield Record((number,), line.encode())

    def _with_minor_units(self, number: int, line: str) -> Record:
        try:
            product = orjson.loads(line)
            for variant in product["variants"]:
                price = variant["price"]
                currency = price.setdefault("currency", self.reading.currency or "")
                # repr is the shortest text of a float, and so what the file says.
                price["amount"] = self.reading.price(str(price["amount"]), currency)
        except orjson.JSONDecodeError as error:
            return Record((number,), faults=(Fault(number, "line", f"is no JSON: {error}"),))
        except (KeyError, TypeError, AttributeError):
            return Record(
                (number,), faults=(Fault(number, "variants", "need a price with an amount and a currency"),)
            )
        except ValueError as error:
            return Record((number,), faults=(Fault(number, "price", str(error)),))
        return Record((number,), orjson.dumps(product))


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A variant a row, under a heading."""

    path: Path
    reading: Reading

    @property
    def format(self) -> Format:
        """What is sent."""
        return "csv"

    def records(self) -> Iterator[Record]:
        """Every row, the heading first."""
        reading = self.reading
        found = rows(self.path, reading.encoding, reading.delimiter)
        heading = next(found, None)
        if heading is None or not any(heading.cells or ()):
            raise CannotDo(f"{self.path} has no heading in line 1")
        self._check_delimiter(heading)
        columns = [cell.strip() for cell in heading.cells or ()]
        added = ["currency"] if reading.currency and "currency" not in columns else []
        yield Record((1,), _written([*columns, *added]))
        as_it_is = not (reading.decimal or added) and reading.delimiter == ","
        for row in found:
            if not row.text.strip(f" {reading.delimiter}"):
                # Not a row of empty cells: programs for tables leave those at the end.
                yield Record((row.line,))
            elif as_it_is or row.cells is None:
                yield from self._unchanged(row)
            else:
                yield self._converted(row, columns, added)

    def _check_delimiter(self, heading: Row) -> None:
        other = next((one for one in ";\t|," if one in heading.text), None)
        if len(heading.cells or ()) == 1 and other and other != self.reading.delimiter:
            shown = "tab" if other == "\t" else other
            raise CannotDo(f"the heading of {self.path} has one column: set --delimiter '{shown}'?")

    def _unchanged(self, row: Row) -> Iterator[Record]:
        if row.cells is None:
            yield Record((row.line,), faults=(Fault(row.line, "line", row.wrong),))
        else:
            yield Record((row.line,), row.text.encode())

    def _converted(self, row: Row, columns: Sequence[str], added: Sequence[str]) -> Record:
        cells = [*(row.cells or ()), *(self.reading.currency or "" for _ in added)]
        if len(cells) != len(columns) + len(added):
            wrong = f"{len(cells) - len(added)} cells under {len(columns)} columns"
            return Record((row.line,), faults=(Fault(row.line, "line", wrong),))
        given = dict(zip([*columns, *added], cells, strict=True))
        try:
            converted = self._with_minor_units(given)
        except ValueError as error:
            return Record((row.line,), faults=(Fault(row.line, "price", str(error)),))
        return Record((row.line,), _written([*converted.values()]))

    def _with_minor_units(self, given: Mapping[str, str]) -> dict[str, Any]:
        if not self.reading.decimal or not given.get("price"):
            return dict(given)
        return {**given, "price": self.reading.price(given["price"], given.get("currency", ""))}


def _written(cells: Sequence[Any]) -> bytes:
    text = StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue().encode()
