"""All filters on variants are about one variant: in lists, in counts and in the order by price."""

from typing import Any

import pytest

from chassis.persistence.mongo.database import Mongo
from tests.product_svc.factories import handle, new_sku, placed
from tests.product_svc.rest_factories import ANY_VERSION, API, STAFF, added, adjust, category

SHOP: dict[str, list[tuple[str, int, str, str, int]]] = {
    "Shirt": [("SHIRT-RED", 900, "EUR", "red", 0), ("SHIRT-BLUE", 2000, "EUR", "blue", 3)],
    "Cap": [
        ("CAP-RED", 1500, "EUR", "red", 1),
        ("CAP-BLUE", 500, "EUR", "blue", 2),
        ("CAP-GREEN", 1, "USD", "green", 0),
    ],
    "Scarf": [("SCARF", 1200, "EUR", "red", 5)],
    "Sock": [("SOCK", 700, "EUR", "red", 0)],
}
"""Name → SKU, price, currency, colour and units on hand of each variant; all blue caps are reserved."""


@pytest.fixture(scope="module")
async def path(api: API, shared: Mongo) -> str:
    """The path of searches in a shop in which what is cheap is sold out, and what is available is dear."""
    shelf = await category(api)
    for name, variants in SHOP.items():
        offers = [
            {"sku": sku, "price": {"amount": amount, "currency": currency}, "attributes": {"colour": colour}}
            for sku, amount, currency, colour, _ in variants
        ]
        await added(api, name=name, category_id=shelf["id"], variants=offers)
        for sku, *_, units in variants:
            assert units == 0 or (await adjust(api, sku, units)).status_code == 201
    await handle(shared, placed({"CAP-BLUE": 2}))
    return f"/v1/products?category_id={shelf['id']}"


async def names(api: API, path: str) -> list[str]:
    response = await api.get(path)
    assert response.status_code == 200, response.text
    return [product["name"] for product in response.json()["items"]]


async def counts(api: API, path: str) -> dict[str, Any]:
    response = await api.get(path.replace("?", "/facets?"))
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("available=true", ["Shirt", "Cap", "Scarf"]),
        ("available=false", ["Sock"]),
        ("available=true&attribute=colour:red", ["Cap", "Scarf"]),
        ("available=false&attribute=colour:red", ["Shirt", "Sock"]),
        ("available=true&currency=EUR&price_max=1000", []),
        ("available=false&currency=EUR&price_max=1000", ["Shirt", "Cap", "Sock"]),
        ("available=true&currency=EUR&price_max=1500&attribute=colour:blue", []),
        ("available=true&currency=USD", []),
        ("available=true&sku=SHIRT-RED", []),
        ("available=false&sku=SHIRT-RED", ["Shirt"]),
        ("available=true&sku=SHIRT-RED&sku=CAP-RED", ["Cap"]),
        ("sku=SHIRT-RED&currency=EUR&price_min=1000", []),
        ("sku=SHIRT-RED&attribute=colour:blue", []),
        ("sku=SHIRT-RED", ["Shirt"]),
    ],
)
async def test_one_variant_matches_all_filters(api: API, path: str, query: str, found: list[str]) -> None:
    assert await names(api, f"{path}&{query}") == found
    total = await counts(api, f"{path}&{query}")
    assert total["total"] == len(found)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Cap", "Sock", "Shirt", "Scarf"]),
        ("&available=true", ["Scarf", "Cap", "Shirt"]),
        ("&available=false", ["Sock"]),
        ("&attribute=colour:red", ["Sock", "Shirt", "Scarf", "Cap"]),
        ("&price_min=600", ["Sock", "Shirt", "Scarf", "Cap"]),
        ("&available=true&attribute=colour:red", ["Scarf", "Cap"]),
        ("&sku=SHIRT-BLUE&sku=CAP-RED&sku=SCARF", ["Scarf", "Cap", "Shirt"]),
    ],
)
@pytest.mark.parametrize("limit", [1, 200])
async def test_products_are_in_the_order_of_the_prices_that_match(
    api: API, path: str, query: str, found: list[str], limit: int
) -> None:
    assert await pages(api, f"{path}&currency=EUR&sort=price{query}", limit) == found
    assert await pages(api, f"{path}&currency=EUR&sort=-price{query}", limit) == found[::-1]


async def pages(api: API, path: str, limit: int) -> list[str]:
    """The names on all pages, of ``limit`` products each."""
    found, after = [], ""
    while True:
        page = (await api.get(f"{path}&limit={limit}{after}")).json()
        found += [product["name"] for product in page["items"]]
        if page["next"] is None:
            return found
        after = f"&cursor={page['next']}"


async def test_what_is_sold_out_is_not_counted_where_only_what_is_available_is_wanted(api: API, path: str) -> None:
    available = await counts(api, f"{path}&available=true")
    assert (available["total"], available["available"]) == (3, 3)
    assert available["prices"] == [{"currency": "EUR", "min": 1200, "max": 2000}]
    assert available["attributes"]["colour"] == [{"value": "red", "products": 2}, {"value": "blue", "products": 1}]
    cheap = await counts(api, f"{path}&available=true&currency=EUR&price_max=1500")
    assert (cheap["total"], cheap["prices"]) == (2, [{"currency": "EUR", "min": 1200, "max": 1500}])
    assert cheap["attributes"]["colour"] == [{"value": "red", "products": 2}]


async def test_only_the_named_variants_are_counted(api: API, path: str) -> None:
    named = await counts(api, f"{path}&sku=SHIRT-RED")
    assert (named["total"], named["available"]) == (1, 0)
    assert named["prices"] == [{"currency": "EUR", "min": 900, "max": 900}]
    assert named["attributes"]["colour"] == [{"value": "red", "products": 1}]
    assert (await counts(api, f"{path}&sku=SHIRT-BLUE"))["available"] == 1


async def test_what_is_not_for_sale_is_not_available(api: API) -> None:
    shelf, sku = await category(api), new_sku()
    product = await added(api, sku, category_id=shelf["id"])
    await adjust(api, sku, 3)
    query = f"/v1/products?category_id={shelf['id']}&state=active&state=discontinued"
    assert await names(api, f"{query}&available=true") == ["Mug"]
    gone = {"status": "discontinued"}
    assert (await api.patch(f"/v1/products/{product['id']}", json=gone, headers=ANY_VERSION)).status_code == 200
    assert await names(api, f"{query}&available=true") == []
    assert await names(api, f"{query}&available=false") == ["Mug"]
    assert (await counts(api, query))["available"] == 0


async def test_entries_say_whether_they_are_available_and_to_staff_how_many_there_are(
    api: API, path: str, shared: Mongo
) -> None:
    threshold = {"threshold": 5}
    assert (await api.put("/v1/stock/SCARF/threshold", json=threshold, headers=ANY_VERSION)).status_code == 200
    seen = {"SHIRT-RED": "none", "SHIRT-BLUE": "in_stock", "CAP-BLUE": "none", "SCARF": "low", "SOCK": "none"}
    units = {"SHIRT-RED": 0, "SHIRT-BLUE": 3, "CAP-RED": 1, "CAP-BLUE": 0, "CAP-GREEN": 0, "SCARF": 5, "SOCK": 0}
    everybody, staff = (await api.get(path)).json()["items"], (await api.get(path, headers=STAFF)).json()["items"]
    for entries in (everybody, staff):
        availability = {one["sku"]: one["availability"] for entry in entries for one in entry["variants"]}
        assert availability == {"CAP-RED": "in_stock", "CAP-GREEN": "none", **seen}
    assert {one["available"] for entry in everybody for one in entry["variants"]} == {None}
    assert {one["sku"]: one["available"] for entry in staff for one in entry["variants"]} == units
    one = f"/v1/products/{everybody[0]['id']}"
    assert (await api.get(one)).json() == everybody[0]
    assert (await api.get(one, headers=STAFF)).json() == staff[0]


async def test_a_discontinued_variant_is_not_available_whatever_is_on_hand(api: API) -> None:
    mug, gone = new_sku(), new_sku()
    price = {"amount": 5, "currency": "EUR"}
    variants = [{"sku": mug, "price": price}, {"sku": gone, "price": price, "status": "discontinued"}]
    product = await added(api, variants=variants)
    for sku in (mug, gone):
        await adjust(api, sku, 2)
    entry = (await api.get(f"/v1/products/{product['id']}", headers=STAFF)).json()
    assert [(one["availability"], one["available"]) for one in entry["variants"]] == [("in_stock", 2), ("none", 2)]
