"""Finding products: words, filters, order, pages, facets."""

from typing import Any

import pytest

from chassis.persistence.mongo.database import Mongo
from chassis.testing import bearer
from product_svc.search import counts, pages
from tests.product_svc.factories import handle, new_sku, placed
from tests.product_svc.rest_factories import API, STAFF, added, amended, as_written, category

Ids = dict[str, str]


def variant(sku: str, amount: int, currency: str = "EUR", **attributes: Any) -> dict[str, Any]:
    return {"sku": sku, "price": {"amount": amount, "currency": currency}, "attributes": attributes}


async def stock(api: API, sku: str, pieces: int) -> None:
    body = {"delta": pieces, "reason": "delivery"}
    assert (await api.post(f"/v1/stock/{sku}/adjustments", json=body, headers=STAFF)).status_code == 201


@pytest.fixture(scope="module")
async def ids(api: API, shared: Mongo) -> Ids:
    """A small shop: the name of everything → its id."""
    root = await category(api, name="Kitchen")
    mugs = await category(api, name="Mugs", parent_id=root["id"])
    tea = await category(api, name="Tea mugs", parent_id=mugs["id"])
    made: Ids = {"Kitchen": root["id"], "Mugs": mugs["id"], "Tea mugs": tea["id"]}
    shop: list[tuple[str, str, dict[str, Any], list[dict[str, Any]]]] = [
        ("Kettle", "Kitchen", {"material": "steel", "watts": 2000}, [variant("KETTLE", 4000)]),
        ("blue Mug", "Mugs", {"material": "stoneware", "for": ["tea", "coffee"]}, [variant("MUG-B", 1250)]),
        (
            "Tea mug",
            "Tea mugs",
            {"material": "stoneware"},
            [variant("TEA-R", 1200, colour="red"), variant("TEA-B", 800, colour="blue", dishwasher=True)],
        ),
        (
            "Jug",
            "Mugs",
            {"material": "glass", "language": "German"},
            [variant("JUG", 900), variant("JUG-US", 1, "USD")],
        ),
    ]
    for name, shelf, attributes, variants in shop:
        product = await added(api, name=name, category_id=made[shelf], attributes=attributes, variants=variants)
        made[name] = product["id"]
    await stock(api, "MUG-B", 1)
    await stock(api, "TEA-B", 5)
    await stock(api, "JUG", 2)
    await handle(shared, placed({"JUG": 2}))
    return made


async def found(api: API, ids: Ids, query: str) -> list[str]:
    response = await api.get(f"/v1/products?category_id={ids['Kitchen']}&{query}")
    assert response.status_code == 200, response.text
    return [product["name"] for product in response.json()["items"]]


ALL = ["Kettle", "blue Mug", "Tea mug", "Jug"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ALL),
        ("q=mug", ["blue Mug", "Tea mug"]),
        ("q=mugs", ["blue Mug", "Tea mug"]),
        ('q="tea mug"', ["Tea mug"]),
        ("q=mug -tea", []),
        ("q=kettle jug", []),
        ("q=TEA-R", ["Tea mug"]),
        ("q=glass", ["Jug"]),
        ("q=nowhere", []),
        ("attribute=material:stoneware", ["blue Mug", "Tea mug"]),
        ("attribute=material:stoneware&attribute=material:glass", ["blue Mug", "Tea mug", "Jug"]),
        ("attribute=material:stoneware&attribute=for:coffee", ["blue Mug"]),
        ("attribute=watts:2000", ["Kettle"]),
        ("attribute=dishwasher:true", ["Tea mug"]),
        ("attribute=material:Steel", []),
        ("attribute=colour:red&attribute=dishwasher:true", []),
        ("currency=EUR&price_max=1000", ["Tea mug", "Jug"]),
        ("currency=EUR&price_min=1250&price_max=1250", ["blue Mug"]),
        ("currency=USD", ["Jug"]),
        ("currency=USD&price_min=2", []),
        ("currency=EUR&price_max=1000&attribute=colour:red", []),
        ("currency=EUR&price_max=1000&attribute=colour:blue", ["Tea mug"]),
        ("available=true", ["blue Mug", "Tea mug"]),
        ("available=false", ["Kettle", "Jug"]),
        ("available=true&attribute=colour:red", []),
        ("available=true&attribute=colour:blue", ["Tea mug"]),
        ("sku=JUG&sku=KETTLE", ["Kettle", "Jug"]),
        ("state=discontinued", []),
    ],
)
async def test_the_products_that_match_are_found(api: API, ids: Ids, query: str, names: list[str]) -> None:
    assert sorted(await found(api, ids, query)) == sorted(names)


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("added", ALL),
        ("newest", ALL[::-1]),
        ("name", ["blue Mug", "Jug", "Kettle", "Tea mug"]),
        ("-name", ["Tea mug", "Kettle", "Jug", "blue Mug"]),
        ("price&currency=EUR", ["Tea mug", "Jug", "blue Mug", "Kettle"]),
        ("-price&currency=EUR", ["Kettle", "blue Mug", "Jug", "Tea mug"]),
        ("price&currency=USD", ["Jug"]),
        ("relevance&q=tea", ["Tea mug", "blue Mug"]),
    ],
)
@pytest.mark.parametrize("limit", [1, 3, 200])
async def test_pages_in_any_order_have_every_product_once(
    api: API, ids: Ids, sort: str, names: list[str], limit: int
) -> None:
    after, pages = "", []
    while True:
        path = f"/v1/products?category_id={ids['Kitchen']}&sort={sort}&limit={limit}{after}"
        page = (await api.get(path)).json()
        pages += [product["name"] for product in page["items"]]
        if page["next"] is None:
            break
        assert len(page["items"]) == limit
        after = f"&cursor={page['next']}"
    assert pages == names


async def test_a_page_continues_where_the_last_one_ended_whatever_is_added_in_between(api: API) -> None:
    shelf = await category(api)
    made = [await added(api, new_sku(), name=name, category_id=shelf["id"]) for name in "bdfh"]
    path = f"/v1/products?category_id={shelf['id']}&sort=name&limit=2"
    first = (await api.get(path)).json()
    for name in "aceg":
        await added(api, new_sku(), name=name, category_id=shelf["id"])
    await amended(api, f"/v1/products/{made[1]['id']}", 1, status="discontinued")
    second = (await api.get(f"{path}&cursor={first['next']}")).json()
    assert [product["name"] for page in (first, second) for product in page["items"]] == ["b", "d", "e", "f"]


async def test_products_of_the_same_name_or_price_are_listed_once_each(api: API) -> None:
    shelf = await category(api)
    made = [(await added(api, new_sku(), category_id=shelf["id"]))["id"] for _ in range(5)]
    for sort in ("name", "-name", "price&currency=EUR", "-price&currency=EUR", "relevance&q=mug"):
        path, after, pages = f"/v1/products?category_id={shelf['id']}&sort={sort}&limit=2", "", []
        while after is not None:
            page = (await api.get(f"{path}{after and '&cursor='}{after}")).json()
            pages += [product["id"] for product in page["items"]]
            after = page["next"]
        assert pages == (made[::-1] if sort.startswith("-") else made), sort


async def test_facets_count_by_category_attribute_and_price(api: API, ids: Ids) -> None:
    path = f"/v1/products/facets?category_id={ids['Mugs']}"
    counts = (await api.get(path)).json()
    assert (counts["total"], counts["available"]) == (3, 2)
    assert counts["categories"] == [
        {"category_id": ids["Mugs"], "products": 2},
        {"category_id": ids["Tea mugs"], "products": 1},
    ]
    assert counts["attributes"]["material"] == [
        {"value": "stoneware", "products": 2},
        {"value": "glass", "products": 1},
    ]
    assert {one["value"] for one in counts["attributes"]["for"]} == {"tea", "coffee"}
    spans = [{"currency": "EUR", "min": 800, "max": 1250}, {"currency": "USD", "min": 1, "max": 1}]
    assert counts["prices"] == spans
    narrow = (await api.get(f"{path}&attribute=colour:red&available=false")).json()
    assert (narrow["total"], narrow["available"], list(narrow["attributes"])) == (1, 0, ["colour", "material"])
    assert narrow["prices"] == [{"currency": "EUR", "min": 1200, "max": 1200}]
    none = (await api.get(f"{path}&q=nowhere")).json()
    exact = {"total_is_lower_bound": False, "available_is_lower_bound": False, "is_complete": True}
    assert none == {"total": 0, "available": 0, "categories": [], "attributes": {}, "prices": [], **exact}


async def test_a_discontinued_variant_is_neither_found_nor_counted(api: API) -> None:
    shelf, sku = await category(api), new_sku()
    gone = variant(new_sku(), 1, colour="grey") | {"status": "discontinued"}
    await added(api, category_id=shelf["id"], variants=[variant(sku, 9), gone])
    query = f"category_id={shelf['id']}&currency=EUR"
    assert (await api.get(f"/v1/products?{query}&price_max=5")).json()["items"] == []
    assert (await api.get(f"/v1/products?{query}&attribute=colour:grey")).json()["items"] == []
    counts = (await api.get(f"/v1/products/facets?{query}")).json()
    assert (counts["attributes"], counts["prices"]) == ({}, [{"currency": "EUR", "min": 9, "max": 9}])


async def test_drafts_are_found_by_staff_only(api: API) -> None:
    shelf = await category(api)
    await added(api, new_sku(), category_id=shelf["id"], status="draft")
    path = f"/v1/products?category_id={shelf['id']}&state=draft"
    assert len((await api.get(path, headers=STAFF)).json()["items"]) == 1
    assert (await api.get(path, headers=bearer())).json()["items"] == (await api.get(path)).json()["items"] == []
    counts = await api.get(path.replace("?", "/facets?"), headers=bearer())
    assert counts.json()["total"] == 0


async def test_words_of_long_attributes_are_found(api: API) -> None:
    await added(api, new_sku(), attributes={"story": "word " * 50 + "hippopotamus"})
    assert len((await api.get("/v1/products?q=hippopotamus")).json()["items"]) == 1


async def test_products_are_listed_in_the_order_of_creation_page_by_page(api: API) -> None:
    first, *made = [(await added(api, new_sku()))["id"] for _ in range(5)]
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2, "cursor": first}
    while len(found) < 4:
        page = (await api.get("/v1/products", params=query)).json()
        found += [product["id"] for product in page["items"]]
        await added(api, new_sku())
        query["cursor"] = page["next"]
    assert found == made


async def test_products_are_found_by_sku(api: API) -> None:
    mug, cup, jug = new_sku(), new_sku(), new_sku()
    first, second = await added(api, mug, cup), await added(api, jug)
    page = (await api.get("/v1/products", params={"sku": [cup, jug, "NONE"]})).json()
    assert ([as_written(entry) for entry in page["items"]], page["next"]) == ([first, second], None)


async def test_no_token_is_needed_to_browse(api: API) -> None:
    assert (await api.get("/v1/products")).status_code == 200


async def test_what_matches_is_counted_on_demand_up_to_a_bound(
    api: API, ids: Ids, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def counted(query: str) -> tuple[int | None, bool]:
        page = (await api.get(f"/v1/products?category_id={ids['Kitchen']}&limit=1{query}")).json()
        return page["total"], page["total_is_lower_bound"]

    assert await counted("") == (None, False)
    assert await counted("&count=true") == (4, False)
    assert await counted("&count=true&available=true") == (2, False)
    assert await counted("&count=true&q=mug&attribute=colour:red") == (1, False)
    monkeypatch.setattr(counts, "MAX_TOTAL", 3)
    monkeypatch.setattr(counts, "MAX_OFFERS", 1)
    assert await counted("&count=true") == (3, True)
    assert await counted("&count=true&available=true") == (2, True)


async def test_facets_of_much_are_of_a_part_of_it_and_say_so(
    api: API, ids: Ids, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "MAX_COUNTED", 2)
    monkeypatch.setattr(counts, "MAX_OFFERS", 4)
    path = f"/v1/products/facets?category_id={ids['Kitchen']}"
    found = (await api.get(path)).json()
    assert (found["is_complete"], found["total_is_lower_bound"], found["total"] < 5) == (False, True, True)
    assert (found["available"], found["available_is_lower_bound"]) == (2, False)
    assert found["prices"] == [{"currency": "EUR", "min": 800, "max": 4000}, {"currency": "USD", "min": 1, "max": 1}]
    assert {"value": "glass", "products": 1} in found["attributes"]["material"]
    monkeypatch.setattr(counts, "MAX_COUNTED", 1)
    found = (await api.get(f"{path}&available=true")).json()
    assert (found["available"] > 0, found["available_is_lower_bound"]) == (True, True)


async def test_a_page_that_would_take_too_many_reads_ends_early_and_the_next_one_continues(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MAX_ROUNDS", 1)
    shelf = await category(api)
    for n in range(6):
        variants = [variant(new_sku(), 50 - n), variant(new_sku(), n + 1)]
        await added(api, name=f"{n}", category_id=shelf["id"], variants=variants)
    path, after, found = f"/v1/products?category_id={shelf['id']}&sort=-price&currency=EUR&limit=2", "", list[int]()
    while after is not None:
        page = (await api.get(f"{path}{after and '&cursor='}{after}")).json()
        found.append(len(page["items"]))
        after = page["next"]
    assert sum(found) == 6
    assert 0 in found


async def test_entries_have_times(api: API) -> None:
    product = await added(api, new_sku())
    path = f"/v1/products/{product['id']}"
    made = (await api.get(path)).json()
    assert made["created_at"] == made["updated_at"]
    await amended(api, path, 1, name="Jug")
    changed = (await api.get(path)).json()
    assert changed["created_at"] == made["created_at"] < changed["updated_at"]
