"""Words in English, German and other languages, in searches, in lists by name and while typing."""

import pytest

from tests.product_svc.factories import new_sku
from tests.product_svc.rest_factories import ANY_VERSION, API, added, category

NAMES = [
    "Tassen aus Steingut",
    "Straßenkarte",
    "Ärmelschoner",
    "The Who",
    "Café au lait",
    "Zebra",
    "Who is who",
    "北京",
]


@pytest.fixture(scope="module")
async def path(api: API) -> str:
    """The path of searches in a shop with products of these names."""
    shelf = await category(api)
    for name in NAMES:
        await added(api, new_sku(), name=name, category_id=shelf["id"])
    await added(api, new_sku(), name="Record", description="by the who, live", category_id=shelf["id"])
    await added(api, new_sku(), name="Straße", category_id=shelf["id"], status="draft")
    return f"/v1/products?category_id={shelf['id']}"


async def names(api: API, path: str) -> list[str]:
    response = await api.get(path)
    assert response.status_code == 200, response.text
    return [product["name"] for product in response.json()["items"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("The Who", ["The Who", "Who is who", "Record"]),
        ("who", ["The Who", "Who is who", "Record"]),
        ("Tasse", ["Tassen aus Steingut"]),
        ("eine tasse", ["Tassen aus Steingut"]),
        ("strassenkarten", ["Straßenkarte"]),
        ("aermelschoner", ["Ärmelschoner"]),
        ("armelschoner", ["Ärmelschoner"]),
        ("CAFE", ["Café au lait"]),
        ("北京", ["北京"]),
        ("who zebra", []),
        ('"who is"', ["Who is who"]),
        ('who -"who is"', ["The Who", "Record"]),
        ("who -live", ["The Who", "Who is who"]),
    ],
)
async def test_words_are_found_in_any_form_the_best_products_first(
    api: API, path: str, query: str, found: list[str]
) -> None:
    assert await names(api, f"{path}&q={query}") == found


async def test_a_list_by_name_has_accents_beside_their_letters(api: API, path: str) -> None:
    in_order = ["Ärmelschoner", "Café au lait", "Record", "Straßenkarte", "Tassen aus Steingut", "The Who"]
    in_order += ["Who is who", "Zebra", "北京"]
    assert await names(api, f"{path}&sort=name") == in_order
    assert await names(api, f"{path}&sort=-name") == in_order[::-1]


async def suggested(api: API, typed: str, limit: int = 5) -> list[str]:
    response = await api.get("/v1/products/suggestions", params={"q": typed, "limit": limit})
    assert response.status_code == 200, response.text
    return [one["name"] for one in response.json()["items"]]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("w", ["Who is who", "The Who"]),
        ("the w", ["The Who"]),
        ("stras", ["Straßenkarte"]),
        ("är", ["Ärmelschoner"]),
        ("aer", ["Ärmelschoner"]),
        ("stein", ["Tassen aus Steingut"]),
        ("tasse st", ["Tassen aus Steingut"]),
        ("cafe AU", ["Café au lait"]),
        ("nothing like it", []),
        *(("?", []), ("", [])),
    ],
)
async def test_names_are_suggested_while_they_are_typed(api: API, path: str, typed: str, found: list[str]) -> None:
    assert await suggested(api, typed) == found


async def test_products_of_one_name_are_suggested_once_and_no_more_than_wanted(api: API) -> None:
    made = [await added(api, new_sku(), name=name) for name in ("Quilt", "quilt", "Quiver", "Quince")]
    assert sorted(await suggested(api, "qui")) == ["Quilt", "Quince", "Quiver"]
    assert len(await suggested(api, "qui", 2)) == 2
    gone = {"status": "discontinued"}
    assert (await api.patch(f"/v1/products/{made[3]['id']}", json=gone, headers=ANY_VERSION)).status_code == 200
    assert sorted(await suggested(api, "qui")) == ["Quilt", "Quiver"]


async def test_a_product_is_suggested_by_its_sku(api: API) -> None:
    await added(api, "XKZ-4711-B", name="Odd thing")
    assert await suggested(api, "xkz-47") == ["Odd thing"]
    assert await names(api, "/v1/products?q=xkz-4711-b") == ["Odd thing"]
