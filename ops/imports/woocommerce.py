"""Product exports of WooCommerce: a variation names its parent, by SKU or as ``id:12``, and may be anywhere.

So all of such a file is in memory while it is read.
"""

from collections.abc import Iterator
from itertools import count, takewhile
from typing import Any

from ops.imports.plain import Reading
from ops.imports.products import Cells, Draft, as_text, attributes, listed, urls
from ops.imports.records import Fault, Record

REQUIRED = ("ID", "Type", "SKU", "Name", "Regular price")
SOLD_BY_ITSELF = {"simple", "virtual", "downloadable"}


def convert(rows: Iterator[Cells], reading: Reading) -> Iterator[Record]:
    """The products, in the order of the file."""
    drafts: list[Draft | Record] = []
    parents: dict[str, Draft] = {}
    variations: list[Cells] = []
    for row in rows:
        kinds = {kind.lower() for kind in listed(row["Type"])}
        if "variation" in kinds:
            variations.append(row)
        elif "variable" in kinds or kinds <= SOLD_BY_ITSELF:
            draft = _product(row)
            drafts.append(draft)
            if "variable" in kinds:
                parents |= {key: draft for key in (row["SKU"], f"id:{row['ID']}") if key}
            else:
                draft.add_variant(row.line, row["SKU"], row["Regular price"], reading)
        else:
            drafts.append(_refused(row, "Type", f"{row['Type'][:50]!r} cannot be imported"))
    for row in variations:
        parent = parents.get(row["Parent"])
        if parent is None:
            drafts.append(_refused(row, "Parent", f"there is no variable product {row['Parent'][:50]!r}"))
        else:
            parent.add_variant(row.line, row["SKU"], row["Regular price"], reading, **_variant(row))
    yield from (draft if isinstance(draft, Record) else draft.record() for draft in drafts)


def _refused(row: Cells, column: str, reason: str) -> Record:
    return Record((row.line,), faults=(Fault(row.line, column, reason),))


def _product(row: Cells) -> Draft:
    lists = (("categories", listed(row["Categories"])), ("tags", listed(row["Tags"])))
    # What a variable product lists, its variations say one by one.
    own = () if "variable" in row["Type"].lower() else _attributes(row)
    return Draft(
        row.line,
        {
            "name": row["Name"],
            "description": as_text(row["Description"] or row["Short description"]),
            "status": "active" if row["Published"] in ("1", "") else "draft",
            "images": urls(row["Images"]),
            "attributes": attributes(iter((*lists, *own))),
        },
    )


def _attributes(row: Cells) -> Iterator[tuple[str, str]]:
    numbers = takewhile(lambda n: f"Attribute {n} name" in row.values, count(1))
    return ((row[f"Attribute {n} name"], row[f"Attribute {n} value(s)"]) for n in numbers)


def _variant(row: Cells) -> dict[str, Any]:
    return {
        "attributes": attributes(_attributes(row)),
        "images": urls(row["Images"]),
        "status": "active" if row["Published"] in ("1", "") else "discontinued",
    }
