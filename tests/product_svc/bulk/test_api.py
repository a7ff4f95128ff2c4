"""Imports and exports over REST."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.mongo import Mongo
from chassis.testing import bearer
from schemas import ProductChanged, ProductCreated, ProductDrafted
from tests import hostile
from tests.answers import believed, malformed_at, refused, survivors, undescribed
from tests.outbox import events
from tests.product_svc.catalogue.shelves import API, PRICE, STAFF, added, category
from tests.product_svc.goods import new_sku

TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv"}


def line(*skus: str, **fields: Any) -> dict[str, Any]:
    return {"name": "Mug", "variants": [{"sku": sku, "price": PRICE} for sku in skus]} | fields


def ndjson(*documents: Any) -> bytes:
    return b"".join(json.dumps(document).encode() + b"\n" for document in documents)


async def begun(api: API, lines: int, form: str = "ndjson") -> str:
    answer = await api.post("/v1/imports", json={"format": form, "lines": lines}, headers=STAFF)
    assert answer.status_code == 201, answer.text
    path: str = answer.headers["location"]
    assert answer.json() == (await api.get(path, headers=STAFF)).json()
    return path


async def send(api: API, path: str, first: int, content: bytes, form: str = "ndjson") -> httpx.Response:
    headers = {**STAFF, "Content-Type": TYPES[form]}
    return await api.post(f"{path}/parts?first_line={first}", content=content, headers=headers)


async def taken(api: API, path: str, first: int, content: bytes, form: str = "ndjson") -> dict[str, Any]:
    answer = await send(api, path, first, content, form)
    assert answer.status_code == 200, answer.text
    progress: dict[str, Any] = answer.json()
    assert progress == (await api.get(path, headers=STAFF)).json()
    return progress


def outcomes(progress: dict[str, Any]) -> tuple[int, ...]:
    return tuple(progress[name] for name in ("created", "changed", "unchanged", "failed"))


async def faults(api: API, path: str) -> list[tuple[int, str]]:
    items = (await api.get(f"{path}/faults", headers=STAFF)).json()["items"]
    return [(fault["line"], fault["code"]) for fault in items]


async def by_sku(api: API, sku: str) -> dict[str, Any]:
    [product] = (await api.get("/v1/products", params={"sku": sku}, headers=STAFF)).json()["items"]
    found: dict[str, Any] = product
    return found


async def test_lines_make_products_with_stock_at_nothing_and_tell_of_them(api: API, shared: Mongo) -> None:
    mug, cup, jug = new_sku(), new_sku(), new_sku()
    path = await begun(api, 2)
    progress = await taken(api, path, 1, ndjson(line(mug, cup, attributes={"a": 1}), line(jug, status="draft")))
    assert (outcomes(progress), progress["done"], progress["next_line"]) == ((2, 0, 0, 0), 2, None)
    product, draft = await by_sku(api, cup), await by_sku(api, jug)
    assert (product["attributes"], draft["status"]) == ({"a": 1}, "draft")
    assert (await api.get(f"/v1/stock/{mug}")).json()["on_hand"] == 0
    assert [type(event) for event in await events(shared, product["id"])] == [ProductCreated]
    assert [type(event) for event in await events(shared, draft["id"])] == [ProductDrafted]


async def test_lines_change_what_is_there_by_sku_or_id_and_leave_the_rest(api: API, shared: Mongo) -> None:
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


async def test_a_line_that_is_refused_leaves_nothing_and_stops_nobody(api: API, shared: Mongo) -> None:
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
            line(mine, status="draft", name="Not told"),
            {"name": 1},
            line(free),
        )
        + b"\n",
    )
    assert (outcomes(progress), progress["done"]) == ((1, 0, 0, 5), 7)
    assert await faults(api, path) == [
        (1, "sku_taken"),
        (2, "no_such_category"),
        (3, "attributes_do_not_fit"),
        (4, "status_not_possible"),
        (5, "malformed_line"),
    ]
    assert (await by_sku(api, mine))["name"] == "Mug"
    assert len(await events(shared, owner["id"])) == 1
    assert [variant["sku"] for variant in (await by_sku(api, free))["variants"]] == [free]
    assert (await api.get(f"/v1/categories/{shelf['id']}")).json()["products"] == 0


async def test_faults_say_why_and_are_read_page_by_page(api: API) -> None:
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
    two = (await api.get(f"{path}/faults?limit=2&after=2", headers=STAFF)).json()
    assert ([fault["line"] for fault in two["items"]], two["next"]) == ([3], None)


async def test_an_import_goes_on_where_it_was_and_no_line_counts_twice(api: API, shared: Mongo) -> None:
    skus = [new_sku() for _ in range(3)]
    path = await begun(api, 3)
    first = ndjson(line(skus[0]), line(skus[1]))
    await taken(api, path, 1, first)
    # The answer was lost; the client sends the part again, and is told where to go on.
    assert refused(await send(api, path, 1, first), 409, "out_of_line")["next_line"] == 3
    refused(await send(api, path, 3, ndjson(line(skus[2]), line(skus[2]))), 409, "too_many_lines")
    progress = await taken(api, path, 3, ndjson(line(skus[2])))
    assert (outcomes(progress), progress["next_line"]) == ((3, 0, 0, 0), None)
    assert refused(await send(api, path, 4, first), 409, "out_of_line")["next_line"] is None
    assert [len(await events(shared, (await by_sku(api, sku))["id"])) for sku in skus] == [1, 1, 1]


async def test_of_the_same_part_sent_at_once_one_is_taken(api: API, shared: Mongo) -> None:
    sku = new_sku()
    path = await begun(api, 2)
    answers = await asyncio.gather(*(send(api, path, 1, ndjson(line(sku))) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
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


async def test_imports_are_listed_newest_first(api: API) -> None:
    paths = [await begun(api, n + 1) for n in range(3)]
    one = (await api.get("/v1/imports?limit=2", headers=STAFF)).json()
    two = (await api.get(f"/v1/imports?limit=1&before={one['next']}", headers=STAFF)).json()
    listed = [f"/v1/imports/{item['id']}" for item in one["items"] + two["items"]]
    assert listed == paths[::-1]


@pytest.mark.parametrize("form", ["ndjson", "csv"])
async def test_an_export_is_an_import_that_changes_nothing(api: API, shared: Mongo, form: str) -> None:
    shelf = await category(api)
    image = ["https://img.example/a"]
    wild: dict[str, Any] = {"a": '=1+"1",\\', "b": 1.0, "c": [], "d": True}
    await added(api, new_sku(), new_sku(), attributes=wild, images=image, category_id=shelf["id"], status="draft")
    answer = await api.get(f"/v1/products.{form}", headers=STAFF)
    assert answer.headers["content-type"].startswith(TYPES[form])
    lines = answer.content.splitlines()
    products = await shared.db.products.count_documents({})
    assert answer.headers["product-count"] == str(products)
    assert len(lines) == products if form == "ndjson" else len(lines) > products
    told = await shared.db.outbox.count_documents({})
    path = await begun(api, len(lines), form)
    progress = await taken(api, path, 1, answer.content, form)
    rows = len(lines) - (form == "csv")
    assert (outcomes(progress), await faults(api, path)) == ((0, 0, rows, 0), [])
    assert await shared.db.outbox.count_documents({}) == told


@pytest.mark.parametrize("form", ["ndjson", "csv"])
async def test_an_export_goes_on_after_a_product_without_a_heading(api: API, form: str) -> None:
    first = await added(api, new_sku())
    skus = [new_sku(), new_sku()]
    second = await added(api, *skus)
    answer = await api.get(f"/v1/products.{form}?after={first['id']}", headers=STAFF)
    assert answer.headers["product-count"] == "1"
    assert len(answer.content.splitlines()) == {"ndjson": 1, "csv": 2}[form]
    assert answer.content.count(second["id"].encode()) == {"ndjson": 1, "csv": 2}[form]
    none = await api.get(f"/v1/products.{form}?after={second['id']}", headers=STAFF)
    assert (none.content, none.headers["product-count"]) == (b"", "0")


PATHS = [("GET", "/v1/imports"), ("GET", f"/v1/imports/{uuid7()}"), ("GET", f"/v1/imports/{uuid7()}/faults")]
PATHS += [("GET", "/v1/products.csv"), ("POST", f"/v1/imports/{uuid7()}/parts?first_line=1"), ("POST", "/v1/imports")]


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_only_staff_imports_and_exports(api: API, method: str, path: str) -> None:
    body = {"format": "csv", "lines": 1} if path == "/v1/imports" else None
    refused(await api.request(method, path, json=body), 401, "unauthenticated")
    for role in ("customer", "ops"):
        refused(await api.request(method, path, json=body, headers=bearer(role=role)), 403, "forbidden")
    assert await believed(api, method, path, hostile.bad_tokens("staff"), body) == []


async def test_an_unknown_import_is_not_found(api: API) -> None:
    path = f"/v1/imports/{uuid7()}"
    for asked in (path, f"{path}/faults"):
        refused(await api.get(asked, headers=STAFF), 404, "import_unknown")
    refused(await send(api, path, 1, b"{}"), 404, "import_unknown")


async def test_an_announcement_that_is_none_is_malformed(api: API) -> None:
    good = {"format": "csv", "lines": 3}
    bodies = [(name, content) for name, content, _ in hostile.edges(good)]
    assert await survivors(api, "/v1/imports", [*bodies, *hostile.NO_OBJECT.items()], STAFF) == []
    for lines in (0, -1, 10_000_001):
        answer = await api.post("/v1/imports", json=good | {"lines": lines}, headers=STAFF)
        assert malformed_at(answer) == {"body/lines"}


async def test_a_part_that_is_none_is_malformed_and_the_import_stays_where_it_was(api: API) -> None:
    ours, theirs = await begun(api, 2), await begun(api, 2, "csv")
    assert malformed_at(await send(api, ours, 1, b"a,b", "csv")) == {"header/content-type"}
    assert malformed_at(await send(api, theirs, 1, b"{}")) == {"header/content-type"}
    assert malformed_at(await send(api, ours, 1, b"")) == {"body"}
    assert malformed_at(await send(api, ours, 1, b"\n" * 501)) == {"body"}
    assert malformed_at(await send(api, theirs, 1, b"sku,colour\n", "csv")) == {"body/1"}
    refused(await send(api, theirs, 2, b"a,b", "csv"), 409, "out_of_line")
    refused(await send(api, ours, 1, hostile.oversized()), 413, "body_too_large")
    headers = {**STAFF, "Content-Type": TYPES["ndjson"]}
    large = await api.post(
        f"{ours}/parts?first_line=1", content=hostile.chunked(hostile.oversized()), headers=headers
    )
    refused(large, 413, "body_too_large")
    for first in ("", "x", "0", "-1", "1.5", "9" * 5000):
        answer = await api.post(f"{ours}/parts?first_line={first}", content=b"{}", headers=headers)
        assert malformed_at(answer) == {"query/first_line"}
    for path in (ours, theirs):
        assert (await api.get(path, headers=STAFF)).json()["done"] == 0


@pytest.mark.parametrize("path", ["imports/{}", "imports/{}/faults", "products.csv?after={}", "products.{}"])
async def test_an_id_or_format_that_is_none_leads_nowhere(api: API, path: str) -> None:
    api.headers.update(STAFF)
    try:
        assert await undescribed(api, "GET", f"/v1/{path}", hostile.NO_UUID) == []
    finally:
        del api.headers["Authorization"]
