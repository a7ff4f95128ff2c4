"""The REST API of categories: the responses to valid requests."""

import asyncio
from typing import Any

from tests.product_svc.factories import new_sku
from tests.product_svc.rest_factories import API, PRICE, STAFF, added, amended, category, matching, removed
from tests.responses import assert_problem, version_tag


async def read(api: API, path: str) -> dict[str, Any]:
    response = await api.get(path)
    body: dict[str, Any] = response.json()
    assert version_tag(response) == f'"{body["version"]}"'
    return body


async def test_categories_form_a_tree_and_count_what_is_in_them(api: API) -> None:
    root = await category(api, name="Kitchen")
    leaf = await category(api, name="Mugs", parent_id=root["id"])
    product = await added(api, new_sku(), category_id=leaf["id"])
    root, leaf = await read(api, f"/v1/categories/{root['id']}"), await read(api, f"/v1/categories/{leaf['id']}")
    assert (root["children"], root["products"], leaf["products"], leaf["parent_id"]) == (1, 0, 1, root["id"])
    assert (root["version"], leaf["version"]) == (1, 1)
    await amended(api, f"/v1/products/{product['id']}", 1, category_id=root["id"])
    await amended(api, f"/v1/categories/{leaf['id']}", 1, parent_id=None, name="Cups")
    root, leaf = await read(api, f"/v1/categories/{root['id']}"), await read(api, f"/v1/categories/{leaf['id']}")
    assert (root["children"], root["products"], leaf["products"]) == (0, 1, 0)
    assert (leaf["parent_id"], leaf["name"], leaf["version"]) == (None, "Cups", 2)


async def test_categories_are_listed_page_by_page(api: API) -> None:
    first, *made = [(await category(api))["id"] for _ in range(4)]
    one = (await api.get("/v1/categories", params={"cursor": first, "limit": 2})).json()
    two = (await api.get("/v1/categories", params={"cursor": one["next"], "limit": 2})).json()
    assert [shelf["id"] for shelf in one["items"] + two["items"]] == made
    assert two["next"] is None


async def test_a_category_can_be_neither_below_itself_nor_too_deep(api: API) -> None:
    chain = [await category(api)]
    for _ in range(9):
        chain.append(await category(api, parent_id=chain[-1]["id"]))
    too_deep = {"name": "Sub", "parent_id": chain[-1]["id"]}
    assert (
        assert_problem(await api.post("/v1/categories", json=too_deep, headers=STAFF), 409, "category_too_deep")[
            "limit"
        ]
        == 10
    )
    for below in (chain[0], chain[1], chain[5]):
        response = await api.patch(
            f"/v1/categories/{chain[0]['id']}", json={"parent_id": below["id"]}, headers=matching(1)
        )
        assert_problem(response, 409, "category_cycle")


async def test_two_concurrent_moves_cannot_make_a_cycle(api: API) -> None:
    for _ in range(4):
        one, other = await category(api), await category(api)
        moves = [
            api.patch(f"/v1/categories/{a['id']}", json={"parent_id": b["id"]}, headers=matching(1))
            for a, b in ((one, other), (other, one))
        ]
        assert sorted(response.status_code for response in await asyncio.gather(*moves)) == [200, 409]


async def test_only_an_empty_category_can_be_removed(api: API) -> None:
    root = await category(api)
    leaf = await category(api, parent_id=root["id"])
    product = await added(api, new_sku(), category_id=leaf["id"])
    assert assert_problem(await removed(api, root, 1), 409, "category_not_empty")["children"] == 1
    assert assert_problem(await removed(api, leaf, 1), 409, "category_not_empty")["products"] == 1
    assert_problem(await removed(api, leaf, 2), 412, "precondition_failed")
    assert_problem(await api.delete(f"/v1/categories/{leaf['id']}", headers=STAFF), 428, "precondition_required")
    await amended(api, f"/v1/products/{product['id']}", 1, category_id=None)
    for shelf in (leaf, root):
        assert (await removed(api, shelf, 1)).status_code == 204
        assert_problem(await api.get(f"/v1/categories/{shelf['id']}"), 404, "category_not_found")
        assert_problem(await removed(api, shelf, 1), 404, "category_not_found")


async def test_a_category_is_not_removed_while_a_product_is_added_to_it(api: API) -> None:
    for _ in range(4):
        shelf = await category(api)
        body = {"name": "Mug", "category_id": shelf["id"]}
        body |= {"variants": [{"sku": new_sku(), "price": PRICE}]}
        responses = await asyncio.gather(api.post("/v1/products", json=body, headers=STAFF), removed(api, shelf, 1))
        assert [response.status_code for response in responses] in ([201, 409], [409, 204])
