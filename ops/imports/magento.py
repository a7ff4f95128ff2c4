"""Product exports of Magento 2 and Adobe Commerce: a configurable product names its variants, rows of their own.

These may be anywhere before or behind it, so all of such a file is in memory while it is read.
"""

from collections.abc import Iterator

from ops.imports.plain import Reading
from ops.imports.products import Cells, Draft, as_text, attributes, listed, urls
from ops.imports.records import Fault, Record

REQUIRED = ("sku", "product_type", "name", "price", "product_online")
SOLD_BY_ITSELF = {"simple", "virtual", "downloadable"}


def convert(rows: Iterator[Cells], reading: Reading) -> Iterator[Record]:
    """The products, in the order of the file; rows of a store view, which translate others, are left out."""
    simple: dict[str, Cells] = {}
    others: list[Cells] = []
    for row in rows:
        if row["store_view_code"]:
            continue
        if row["product_type"] in SOLD_BY_ITSELF and row["sku"]:
            simple[row["sku"]] = row
        else:
            others.append(row)
    made = [_configurable(row, simple, reading) for row in others]
    used = {sku for row in others for sku, _ in _variations(row)}
    made += [_simple(row, reading) for sku, row in simple.items() if sku not in used]
    yield from sorted(made, key=lambda record: record.lines[0])


def _configurable(row: Cells, simple: dict[str, Cells], reading: Reading) -> Record:
    if row["product_type"] != "configurable":
        wrong = Fault(row.line, "product_type", f"{row['product_type'][:50]!r} cannot be imported")
        return Record((row.line,), faults=(wrong,))
    draft = _product(row)
    for sku, options in _variations(row):
        variant = simple.get(sku)
        if variant is None:
            draft.faults.append(
                Fault(row.line, "configurable_variations", f"there is no row of the SKU {sku[:64]!r}")
            )
            continue
        status = "active" if variant["product_online"] == "1" else "discontinued"
        own = attributes(iter(options))
        draft.add_variant(variant.line, sku, variant["price"], reading, attributes=own, status=status)
    return draft.record()


def _simple(row: Cells, reading: Reading) -> Record:
    draft = _product(row)
    draft.add_variant(row.line, row["sku"], row["price"], reading)
    return draft.record()


def _product(row: Cells) -> Draft:
    of_row = ((name, value) for name, value in _pairs(row["additional_attributes"], ","))
    return Draft(
        row.line,
        {
            "name": row["name"],
            "description": as_text(row["description"] or row["short_description"]),
            "status": "active" if row["product_online"] == "1" else "draft",
            "images": urls(row["base_image"], row["additional_images"]),
            "attributes": attributes(iter((("categories", listed(row["categories"])), *of_row))),
        },
    )


def _variations(row: Cells) -> list[tuple[str, list[tuple[str, str]]]]:
    """SKU and options of each variant: ``sku=SHIRT-S,size=S|sku=SHIRT-M,size=M``."""
    found = []
    for variation in row["configurable_variations"].split("|"):
        pairs = _pairs(variation, ",")
        options = [(name, value) for name, value in pairs if name != "sku"]
        found += [(value, options) for name, value in pairs if name == "sku"]
    return found


def _pairs(text: str, separator: str) -> list[tuple[str, str]]:
    """``colour=red,size=M``. What has no ``=`` belongs to the value before it, which has a comma then."""
    pairs: list[tuple[str, str]] = []
    for part in text.split(separator):
        name, equals, value = part.partition("=")
        if equals:
            pairs.append((name.strip(), value.strip()))
        elif pairs:
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]}{separator}{part}".strip())
    return pairs
