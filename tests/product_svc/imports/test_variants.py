"""Rows of CSV that belong together are variants of one product, and a file survives the way there and back."""

import csv
from io import StringIO
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from product_svc.imports.commands import assign_products
from product_svc.imports.domain import Group
from product_svc.imports.lines import BOM, read_part
from tests.product_svc.factories import new_sku
from tests.product_svc.imports.import_files import begun, line, ndjson, taken
from tests.product_svc.rest_factories import API, STAFF, added

HEADING = "handle,sku,name,price,currency"


async def imported(api: API, content: str, parts: int = 1) -> dict[str, Any]:
    """Import a file in parts of about the same length."""
    lines = content.splitlines(keepends=True)
    path, progress = await begun(api, len(lines), "csv"), dict[str, Any]()
    size = -(-len(lines) // parts)
    for first in range(0, len(lines), size):
        part = "".join(lines[first : first + size])
        progress = await taken(api, path, first + 1, part.encode(), "csv")
    return progress


async def skus_by_product(api: API, *skus: str) -> list[list[str]]:
    """The SKUs of each product that has one of these."""
    found = []
    for sku in skus:
        [product] = (await api.get("/v1/products", params={"sku": sku}, headers=STAFF)).json()["items"]
        of_it = [variant["sku"] for variant in product["variants"]]
        found += [of_it] if of_it not in found else []
    return found


def rows(*cells: str) -> str:
    return "\n".join((HEADING, *cells))


@pytest.mark.parametrize("parts", [1, 2, 4])
async def test_consecutive_rows_with_one_handle_or_name_are_one_product(api: API, parts: int) -> None:
    """Also where a part ends between them."""
    a, b, c, d, e, f = (new_sku() for _ in range(6))
    cells = (f"mug,{a},Mug blue,5,EUR", f"mug,{b},Mug red,6,EUR", f",{c},Cup,5,EUR", f",{d},Cup,5,EUR")
    progress = await imported(api, rows(*cells, f"one,{e},Cup,5,EUR", f"two,{f},Cup,5,EUR"), parts)
    assert (progress["created"], progress["changed"], progress["failed"]) == (4, 2, 0)
    assert await skus_by_product(api, a, b, c, d, e, f) == [[a, b], [c, d], [e], [f]]


async def test_a_new_variant_joins_the_product_that_has_the_others(api: API) -> None:
    old, other, new, newer = (new_sku() for _ in range(4))
    await added(api, old)
    await added(api, other)
    content = rows(f"mug,{new},Mug,5,EUR", f"mug,{old},Mug,5,EUR", f"mug,{other},Mug,5,EUR", f"mug,{newer},Mug,5,EUR")
    assert (await imported(api, content))["failed"] == 0
    assert await skus_by_product(api, old, other) == [[old, new], [other, newer]]


async def test_a_faulty_row_does_not_separate_those_around_it(api: API) -> None:
    a, b = new_sku(), new_sku()
    progress = await imported(api, rows(f"mug,{a},Mug,5,EUR", f"mug,{new_sku()},Mug,x,EUR", "", f"mug,{b},Mug,5,EUR"))
    assert (progress["created"], progress["changed"], progress["failed"]) == (1, 1, 1)
    assert await skus_by_product(api, a) == [[a, b]]


async def test_rows_apart_from_each_other_are_not_one_product(api: API) -> None:
    a, b, c = new_sku(), new_sku(), new_sku()
    await imported(api, rows(f",{a},Mug,5,EUR", f",{b},Cup,5,EUR", f",{c},Mug,5,EUR"))
    assert await skus_by_product(api, a, b, c) == [[a], [b], [c]]


async def test_a_file_of_variants_comes_back_as_it_was(api: API) -> None:
    a, b, c = new_sku(), new_sku(), new_sku()
    heading = "name,description,attributes,images,status,sku,price,currency"
    heading += ",variant_attributes,variant_images,variant_status"
    content = "\n".join(
        (
            heading,
            f'Mug,Tall,"{{""material"":""tin""}}",https://x.example/a,active,{a},5,EUR,"{{""size"":""S""}}",,active',
            f'Mug,Tall,"{{""material"":""tin""}}",https://x.example/a,active,{b},6,EUR,"{{""size"":""L""}}",,discontinued',
            f"Cup,,{{}},,draft,{c},7,USD,{{}},https://x.example/b,active",
        )
    )
    assert (await imported(api, content))["created"] == 2
    exported = (await api.get("/v1/products.csv", headers=STAFF)).text
    mine = [row for row in csv.DictReader(StringIO(exported)) if row["sku"] in (a, b, c)]
    wanted = [*csv.DictReader(StringIO(content))]
    assert [{name: row[name] for name in heading.split(",")} for row in mine] == wanted
    assert mine[0]["product_id"] == mine[1]["product_id"] != mine[2]["product_id"]
    again = await imported(api, exported)
    assert (again["created"], again["changed"], again["failed"]) == (0, 0, 0)
    assert (await api.get("/v1/products.csv", headers=STAFF)).text == exported


@pytest.mark.parametrize("form", ["ndjson", "csv"])
async def test_a_byte_order_mark_belongs_to_no_line(api: API, form: str) -> None:
    sku = new_sku()
    content = {"ndjson": ndjson(line(sku)), "csv": rows(f",{sku},Mug,5,EUR").encode()}[form]
    progress = await taken(api, await begun(api, content.rstrip().count(b"\n") + 1, form), 1, BOM + content, form)
    assert (progress["created"], progress["failed"], progress["next_line"]) == (1, 0, None)


async def test_a_file_without_a_last_line_break_is_imported_whole(api: API) -> None:
    a, b = new_sku(), new_sku()
    progress = await taken(api, await begun(api, 2), 1, ndjson(line(a), line(b)).removesuffix(b"\n"))
    assert (progress["created"], progress["next_line"]) == (2, None)


def test_a_part_without_products_leaves_the_group_open() -> None:
    last = Group("mug", uuid7())
    part = read_part(b"mug,A,Mug,x,EUR\n\n", "csv", 3, HEADING.split(","))
    assert assign_products(part, {}, last) == ({}, last)


def test_a_long_handle_is_a_fault() -> None:
    [wrong] = read_part(b"h" * 201 + b",A,Mug,5,EUR", "csv", 3, HEADING.split(",")).lines
    assert wrong.error == "handle: String should have at most 200 characters"
