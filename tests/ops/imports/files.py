"""Files of products, and what becomes of them."""

import json
from pathlib import Path
from typing import Any

from ops.imports.plain import CsvFile, NdjsonFile, Reading
from ops.imports.records import Fault, Record, bounded
from ops.imports.shops import ShopFile


def write(folder: Path, content: str | bytes, name: str = "products.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def csv_records(path: Path, **reading: Any) -> list[Record]:
    return [*bounded(CsvFile(path, Reading(**reading)).records())]


def ndjson_records(path: Path, **reading: Any) -> list[Record]:
    return [*bounded(NdjsonFile(path, Reading(**reading)).records())]


def shop_products(path: Path, shop: str, **reading: Any) -> tuple[list[dict[str, Any]], list[Fault]]:
    """The products that are sent of another program's file, and the faults."""
    records = [*ShopFile(path, Reading(**{"currency": "EUR"} | reading), shop).records()]
    products = [json.loads(record.content) for record in records if record.content]
    return products, [fault for record in records for fault in record.faults]
