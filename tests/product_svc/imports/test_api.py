"""Imports and exports over REST."""

import asyncio
import json
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.mongo.database import Mongo
from schemas import ProductChanged, ProductCreated, ProductDrafted
from tests.outbox import events
from tests.product_svc.factories import new_sku
from tests.product_svc.imports.import_files import TYPES, begun, line, ndjson, send, taken
from tests.product_svc.rest_factories import API, STAFF, added, amended, category
from tests.responses import assert_problem


def outcomes(progress: dict[str, Any]) -> tuple[int, ...]:
    return tuple(progress[name] for name in ("created", "changed", "unchanged", "failed"))


async def faults(api: API, path: str) -> list[tuple[int, str]]:
    items = (await api.get(f"{path}/faults", headers=STAFF)).json()["items"]
    return [(fault["line"], fault["code"]) for fault in items]


async def by_sku(api: API, sku: str) -> dict[str, Any]:
    [product] = (await api.get("/v1/products", params={"sku": sku}, headers=STAFF)).json()["items"]
    found: dict[str, Any] = product
    return found


async def test_lines_create_products_with_zero_stock_and_publish_them(api: API, shared: Mongo) -> None:
    mug, cup, jug = new_sku(), new_sku(), new_sku()
    path = await begun(api, 2)
    progress = await taken(api, path, 1, ndjson(line(mug, cup, attributes={"a": 1}), line(jug, status="draft")))
    assert (outcomes(progress), progress["done"], progress["next_line"]) == ((2, 0, 0, 0), 2, None)
    product, draft = await by_sku(api, cup), await by_sku(api, jug)
    assert (product["attributes"], draft["status"]) == ({"a": 1}, "draft")
    assert (await api.get(f"/v1/stock/{mug}")).json()["on_hand"] == 0
    assert [type(event) for event in await events(shared, product["id"])] == [ProductCreated]
    assert [type(event) for event in await events(shared, draft["id"])] == [ProductDrafted]


async def test_a_client_that_knows_no_type_for_lines_sends_bytes(api: API) -> None:
    for form, content in (
        ("ndjson", ndjson(line(new_sku()))),
        ("csv", f"sku,name,price,currency,variant_attributes\n{new_sku()},Mug,5,EUR,\n"),
    ):
        path = await begun(api, 1 if form == "ndjson" else 2, form)
        headers = {**STAFF, "Content-Type": "application/octet-stream"}
        response = await api.post(f"{path}/parts?first_line=1", content=content, headers=headers)
        assert (response.status_code, response.json()["created"]) == (200, 1), response.text


async def test_lines_change_existing_products_by_sku_or_id_and_leave_other_fields(api: API, shared: Mongo) -> None:
    mug, cup, new = new_sku(), new_sku(), new_sku()
    product = await added(api, mug, cup, attributes={"a": 1}, description="Old")
    same, renamed = line(mug), line(cup, name="Jug")
    path = await begun(api, 4)
    by_id = line(new, id=product["id"], name="Jug", attributes={})
    progress = await taken(api, path, 1, ndjson(same, renamed, by_id, by_id))
    assert outcomes(progress) == (0, 2, 2, 0)
    after = await by_sku(api, mug)
    assert (after["name"], after["description"], after["attributes"], after["version"]) == ("Jug", "Old", {}, 3)
    assert [variant["sku"] for variant in after["variants"]] == [mug, cup, new]
    assert [type(event) for event in await events(shared, product["id"])] == [
        ProductCreated,
        ProductChanged,
        ProductChanged,
    ]


async def test_a_line_that_fails_changes_nothing_and_does_not_stop_the_others(api: API, shared: Mongo) -> None:
    free, mine, theirs = new_sku(), new_sku(), new_sku()
    shelf = await category(api, attributes_schema={"type": "object", "required": ["size"]})
    await added(api, theirs)
    owner = await added(api, mine)
    path = await begun(api, 7)
    progress = await taken(
        api,
        path,
        1,
        ndjson(
            line(free, theirs, id=str(uuid7())),
            line(new_sku(), category_id=str(uuid7())),
            line(new_sku(), category_id=shelf["id"]),
            line(mine, status="draft", name="Not published"),
            {"name": 1},
            line(free),
        )
        + b"\n",
    )
    assert (outcomes(progress), progress["done"]) == ((1, 0, 0, 5), 7)
    assert await faults(api, path) == [
        (1, "sku_taken"),
        (2, "no_such_category"),
        (3, "invalid_attributes"),
        (4, "transition_not_allowed"),
        (5, "malformed_line"),
    ]
    assert (await by_sku(api, mine))["name"] == "Mug"
    assert len(await events(shared, owner["id"])) == 1
    assert [variant["sku"] for variant in (await by_sku(api, free))["variants"]] == [free]
    assert (await api.get(f"/v1/categories/{shelf['id']}")).json()["products"] == 0


async def test_faults_have_details_and_are_listed_page_by_page(api: API) -> None:
    sku = new_sku()
    await added(api, sku)
    path = await begun(api, 3)
    await taken(api, path, 1, ndjson({}, line(sku, id=str(uuid7())), []))
    one = (await api.get(f"{path}/faults?limit=2", headers=STAFF)).json()
    assert one["next"] == 2
    assert one["items"][0] == {
        "line": 1,
        "code": "malformed_line",
        "detail": "name: Field required; variants: Field required",
    }
    assert one["items"][1]["detail"] == f"A product with this SKU exists.; skus: ['{sku}']"
    two = (await api.get(f"{path}/faults?limit=2&cursor=2", headers=STAFF)).json()
    assert ([fault["line"] for fault in two["items"]], two["next"]) == ([3], None)


async def test_an_import_continues_where_it_was_and_no_line_is_imported_twice(api: API, shared: Mongo) -> None:
    skus = [new_sku() for _ in range(3)]
    path = await begun(api, 3)
    first = ndjson(line(skus[0]), line(skus[1]))
    await taken(api, path, 1, first)
    # The response was lost: the client sends the part again, and the response says where to continue.
    assert assert_problem(await send(api, path, 1, first), 409, "unexpected_line")["next_line"] == 3
    assert_problem(await send(api, path, 3, ndjson(line(skus[2]), line(skus[2]))), 409, "too_many_lines")
    progress = await taken(api, path, 3, ndjson(line(skus[2])))
    assert (outcomes(progress), progress["next_line"]) == ((3, 0, 0, 0), None)
    assert assert_problem(await send(api, path, 4, first), 409, "unexpected_line")["next_line"] is None
    assert [len(await events(shared, (await by_sku(api, sku))["id"])) for sku in skus] == [1, 1, 1]


async def test_of_the_same_part_sent_concurrently_one_is_imported(api: API, shared: Mongo) -> None:
    sku = new_sku()
    path = await begun(api, 2)
    responses = await asyncio.gather(*(send(api, path, 1, ndjson(line(sku))) for _ in range(6)))
    assert sorted(response.status_code for response in responses) == [200] + [409] * 5
    assert len(await events(shared, (await by_sku(api, sku))["id"])) == 1


async def test_rows_of_csv_are_variants_under_the_heading_of_the_first_line(api: API) -> None:
    mug, cup, jug = new_sku(), new_sku(), new_sku()
    product = await added(api, mug)
    path = await begun(api, 4, "csv")
    head = b"product_id,sku,name,price,currency,variant_attributes\n"
    rows = f'{product["id"]},{cup},Cup,99,EUR,"{{""size"": ""S""}}"\n'.encode()
    progress = await taken(api, path, 1, head + rows, "csv")
    assert (progress["done"], outcomes(progress)) == (2, (0, 1, 0, 0))
    progress = await taken(api, path, 3, f",{jug},Jug,1,USD,\n,{jug},Jug,x,USD,\n".encode(), "csv")
    assert (progress["done"], outcomes(progress)) == (4, (1, 1, 0, 1))
    after = await by_sku(api, cup)
    assert (after["id"], after["name"], after["variants"][1]["price"]["amount"]) == (product["id"], "Cup", 99)
    assert after["variants"][1]["attributes"] == {"size": "S"}
    assert (await by_sku(api, jug))["variants"][0]["price"] == {"amount": 1, "currency": "USD"}


async def test_a_line_changes_only_the_version_that_it_states(api: API, shared: Mongo) -> None:
    mug = new_sku()
    product = await added(api, mug)
    exported = (await api.get("/v1/products.ndjson", headers=STAFF)).content.splitlines()
    [old] = [json.loads(text) for text in exported if product["id"].encode() in text]
    assert old["version"] == 1
    await amended(api, f"/v1/products/{product['id']}", 1, name="Newer")
    path = await begun(api, 4)
    progress = await taken(
        api, path, 1, ndjson(old, old | {"version": 2, "name": "Newest"}, old, old | {"version": 9})
    )
    assert outcomes(progress) == (0, 1, 0, 3)
    assert await faults(api, path) == [(n, "precondition_failed") for n in (1, 3, 4)]
    after = await by_sku(api, mug)
    assert (after["name"], after["version"]) == ("Newest", 3)
    assert len(await events(shared, product["id"])) == 3


async def test_consecutive_rows_of_one_product_may_state_one_version(api: API) -> None:
    mug, cup, jug = new_sku(), new_sku(), new_sku()
    product = await added(api, mug, cup, jug)
    heading = "version,sku,name,price,currency"
    rows = [f"1,{sku},Mug,{n + 1},EUR" for n, sku in enumerate((mug, cup, jug))]
    path = await begun(api, 5, "csv")
    await taken(api, path, 1, f"{heading}\n{rows[0]}\n".encode(), "csv")
    # The parts that follow are transactions of their own.
    await taken(api, path, 3, f"{rows[1]}\n,,,,\n".encode(), "csv")
    progress = await taken(api, path, 5, f"{rows[2]}\n".encode(), "csv")
    assert (outcomes(progress), await faults(api, path)) == ((0, 3, 0, 1), [(4, "malformed_line")])
    assert [variant["price"]["amount"] for variant in (await by_sku(api, mug))["variants"]] == [1, 2, 3]
    assert (await by_sku(api, mug))["version"] == product["version"] + 3


async def test_a_change_between_the_rows_of_one_product_is_not_overwritten(api: API) -> None:
    mug, cup = new_sku(), new_sku()
    product = await added(api, mug, cup)
    path = await begun(api, 3, "csv")
    await taken(api, path, 1, f"version,sku,name,price,currency\n1,{mug},Mug,7,EUR\n".encode(), "csv")
    await amended(api, f"/v1/products/{product['id']}", 2, name="Jug")
    await taken(api, path, 3, f"1,{cup},Mug,8,EUR\n".encode(), "csv")
    assert await faults(api, path) == [(3, "precondition_failed")]
    after = await by_sku(api, mug)
    assert (after["name"], [one["price"]["amount"] for one in after["variants"]]) == ("Jug", [7, 1250])


async def test_a_new_product_is_created_whatever_version_the_line_states(api: API) -> None:
    mug, cup = new_sku(), new_sku()
    path = await begun(api, 3, "csv")
    rows = "".join(f"{uuid},7,{sku},Mug,5,EUR\n" for uuid in [uuid7()] for sku in (mug, cup))
    content = f"product_id,version,sku,name,price,currency\n{rows}"
    progress = await taken(api, path, 1, content.encode(), "csv")
    assert outcomes(progress) == (1, 1, 0, 0)
    assert (await by_sku(api, cup))["version"] == 2


async def test_imports_are_listed_newest_first(api: API) -> None:
    paths = [await begun(api, n + 1) for n in range(3)]
    one = (await api.get("/v1/imports?limit=2", headers=STAFF)).json()
    two = (await api.get(f"/v1/imports?limit=1&cursor={one['next']}", headers=STAFF)).json()
    listed = [f"/v1/imports/{item['id']}" for item in one["items"] + two["items"]]
    assert listed == paths[::-1]


@pytest.mark.parametrize("form", ["ndjson", "csv"])
async def test_an_export_is_an_import_that_changes_nothing(api: API, shared: Mongo, form: str) -> None:
    shelf = await category(api)
    image = ["https://img.example/a"]
    wild: dict[str, Any] = {"a": '=1+"1",\\', "b": 1.0, "c": [], "d": True}
    await added(api, new_sku(), new_sku(), attributes=wild, images=image, category_id=shelf["id"], status="draft")
    await added(api, new_sku(), name='=HYPERLINK("https://evil.example")', description="'-5")
    response = await api.get(f"/v1/products.{form}", headers=STAFF)
    assert response.headers["content-type"].startswith(TYPES[form])
    assert b",=HYPERLINK" not in response.content
    assert b',"=HYPERLINK' not in response.content
    lines = response.content.splitlines()
    products = await shared.db.products.count_documents({})
    assert response.headers["product-count"] == str(products)
    assert len(lines) == products if form == "ndjson" else len(lines) > products
    published = await shared.db.outbox.count_documents({})
    path = await begun(api, len(lines), form)
    progress = await taken(api, path, 1, response.content, form)
    rows = len(lines) - (form == "csv")
    assert (outcomes(progress), await faults(api, path)) == ((0, 0, rows, 0), [])
    assert await shared.db.outbox.count_documents({}) == published


@pytest.mark.parametrize("form", ["ndjson", "csv"])
async def test_an_export_continues_after_a_product_without_a_heading(api: API, form: str) -> None:
    first = await added(api, new_sku())
    skus = [new_sku(), new_sku()]
    second = await added(api, *skus)
    response = await api.get(f"/v1/products.{form}?cursor={first['id']}", headers=STAFF)
    assert response.headers["product-count"] == "1"
    assert len(response.content.splitlines()) == {"ndjson": 1, "csv": 2}[form]
    assert response.content.count(second["id"].encode()) == {"ndjson": 1, "csv": 2}[form]
    none = await api.get(f"/v1/products.{form}?cursor={second['id']}", headers=STAFF)
    assert (none.content, none.headers["product-count"]) == (b"", "0")
