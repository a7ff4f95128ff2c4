"""Exports the catalogue, product by product, also over a connection that breaks off."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import orjson

from ops.errors import CannotDo
from ops.imports.records import Format
from ops.rest import LATER, Refused, Rest, Unreachable

PAUSE_SECONDS = 0.5
UUID_LENGTH = 36

Write = Callable[[bytes], object]
Progress = Callable[[int, int], object]
"""Called with the products that were written, and all of them."""


@dataclass(slots=True)
class Export:
    """An export. What was written is always whole products, the heading of CSV before the first."""

    rest: Rest
    format: Format
    write: Write
    progress: Progress
    products: int = 0
    size: int = 0
    """In bytes."""
    last: str | None = None
    """The id of the last product that was written."""

    async def run(self, patience_seconds: float) -> None:
        """Write all; continue behind the last product where the connection breaks off."""
        began = time.monotonic()
        while True:
            before = self.products
            try:
                return await self._rest_of_it()
            except (Unreachable, Refused) as error:
                if isinstance(error, Refused) and error.status not in LATER:
                    raise
                began = time.monotonic() if self.products > before else began
                if time.monotonic() - began > patience_seconds:
                    raise CannotDo(str(error)) from error
            await asyncio.sleep(PAUSE_SECONDS)

    async def _rest_of_it(self) -> None:
        async with self.rest.stream("product", f"/v1/products.{self.format}", cursor=self.last) as response:
            total = self.products + int(response.headers.get("Product-Count", 0))
            current, content = None, b""
            async for row in _rows(response.aiter_bytes(), self.format):
                product = self._product(row)
                if current is not None and product != current:
                    self._keep(current, content, total)
                    content = b""
                # The heading has no product, and goes with the first.
                current, content = product, content + row
            self._keep(current, content, total)

    def _product(self, row: bytes) -> str | None:
        if self.format == "ndjson":
            return str(orjson.loads(row)["id"])
        known = row[:UUID_LENGTH].decode("ascii", "replace")
        return None if known.startswith("product_id") else known

    def _keep(self, product: str | None, content: bytes, total: int) -> None:
        self.write(content)
        self.size += len(content)
        self.products += product is not None
        self.last = product
        self.progress(self.products, max(total, self.products))


async def _rows(chunks: AsyncIterator[bytes], form: Format) -> AsyncIterator[bytes]:
    """Whole rows; a quoted cell of CSV may have line breaks. What is cut off is left out."""
    row, open_line = b"", b""
    async for chunk in chunks:
        *whole, open_line = (open_line + chunk).split(b"\n")
        for line in whole:
            row += line + b"\n"
            if form == "ndjson" or row.count(b'"') % 2 == 0:
                yield row
                row = b""
