"""Files that other shop programs export, as products of this one: which program, which mapping."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.errors import CannotDo
from ops.imports import magento, shopify, woocommerce
from ops.imports.plain import Reading
from ops.imports.products import Cells
from ops.imports.records import Fault, Format, Record
from ops.imports.text import rows

Convert = Callable[[Iterator[Cells], Reading], Iterator[Record]]

SHOPS: Mapping[str, tuple[Sequence[str], Convert]] = {
    "shopify": (shopify.REQUIRED, shopify.convert),
    "woocommerce": (woocommerce.REQUIRED, woocommerce.convert),
    "magento": (magento.REQUIRED, magento.convert),
}
"""Program → the columns that its files must have, and what makes products of their rows."""


@dataclass(frozen=True, slots=True)
class ShopFile:
    """A CSV file of another shop program, sent as NDJSON."""

    path: Path
    reading: Reading
    shop: str

    @property
    def format(self) -> Format:
        """What is sent."""
        return "ndjson"

    def records(self) -> Iterator[Record]:
        """Its products."""
        required, convert = SHOPS[self.shop]
        found = rows(self.path, self.reading.encoding, self.reading.delimiter)
        heading = next(found, None)
        columns = [cell.strip() for cell in (heading.cells if heading else None) or ()]
        if missing := [name for name in required if name not in columns]:
            raise CannotDo(f"{self.path} is no export of {self.shop}: columns {', '.join(missing)} are missing")
        broken: list[Record] = []

        def readable() -> Iterator[Cells]:
            for row in found:
                if row.cells is None or len(row.cells) > len(columns):
                    wrong = row.wrong or f"{len(row.cells or ())} cells under {len(columns)} columns"
                    broken.append(Record((row.line,), faults=(Fault(row.line, "line", wrong),)))
                elif any(row.cells):
                    yield Cells(row.line, dict(zip(columns, row.cells, strict=False)))

        for record in convert(readable(), self.reading):
            yield from broken
            broken.clear()
            yield record
        yield from broken
