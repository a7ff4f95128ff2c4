"""Product exports of Shopify: rows with one ``Handle`` are variants or further images of one product."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from ops.imports.plain import Reading
from ops.imports.products import Cells, Draft, as_text, attributes, listed, urls
from ops.imports.records import Record

REQUIRED = ("Handle", "Title", "Variant SKU", "Variant Price")
STATUS = {"active": "active", "draft": "draft", "archived": "discontinued", "unlisted": "draft"}
OPTIONS = (1, 2, 3)
ONLY_VARIANT = "Default Title"
"""The option of a product without options."""


def convert(rows: Iterator[Cells], reading: Reading) -> Iterator[Record]:
    """The products; the rows of each follow one another."""
    for _, group in groupby(rows, key=lambda row: row["Handle"]):
        yield _product([*group], reading)


def _product(rows: list[Cells], reading: Reading) -> Record:
    first = rows[0]
    draft = Draft(
        first.line,
        {
            "name": first["Title"],
            "description": as_text(first["Body (HTML)"]),
            "status": _status(first),
            "images": urls(*(row["Image Src"] for row in rows)),
            "attributes": attributes(
                iter(
                    (
                        ("vendor", first["Vendor"]),
                        ("type", first["Type"]),
                        ("category", first["Product Category"]),
                        ("tags", listed(first["Tags"])),
                    )
                )
            ),
        },
    )
    for row in rows:
        if row["Variant SKU"] or row["Variant Price"] or row["Option1 Value"]:
            draft.add_variant(row.line, row["Variant SKU"], row["Variant Price"], reading, **_variant(first, row))
    return draft.record()


def _status(row: Cells) -> str:
    if row["Status"]:
        return STATUS.get(row["Status"].lower(), row["Status"])
    return "draft" if row["Published"].lower() == "false" else "active"


def _variant(first: Cells, row: Cells) -> dict[str, Any]:
    # Only the first row of a product names its options.
    options = ((first[f"Option{n} Name"], row[f"Option{n} Value"]) for n in OPTIONS)
    chosen = [(name, value) for name, value in options if value != ONLY_VARIANT]
    barcode = ("barcode", row["Variant Barcode"].lstrip("'"))
    return {"attributes": attributes(iter((*chosen, barcode))), "images": urls(row["Variant Image"])}
