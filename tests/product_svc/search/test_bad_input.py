"""Malformed and malicious searches."""

from urllib.parse import quote

import pytest

from tests.product_svc.factories import new_sku
from tests.product_svc.rest_factories import API, added
from tests.responses import malformed_fields


@pytest.mark.parametrize("path", ["/v1/products", "/v1/products/facets"])
@pytest.mark.parametrize(
    "query",
    [
        *("q=", "q=%00", "q=a%0a", "q=" + "x" * 201, "category_id=x", "category_id=", "attribute=material"),
        *("attribute=:x", "attribute=$a:1", "attribute=a.b:1", "attribute=a:%00", "currency=eur", "currency="),
        *("currency=ZZZ", "currency=XAU"),
        *("price_min=1", "price_max=1", "currency=EUR&price_min=-1", "currency=EUR&price_min=1.5"),
        *(
            "currency=EUR&price_max=" + "9" * 5000,
            "available=maybe",
            "state=gone",
            "status=active",
            "sku=" + quote("$ne"),
        ),
        "&".join("attribute=a:1" for _ in range(21)),
    ],
    ids=lambda text: text[:30],
)
async def test_an_invalid_filter_is_malformed(api: API, path: str, query: str) -> None:
    assert malformed_fields(await api.get(f"{path}?{query}"))


CURSORS = [
    "",
    "x",
    "W10=",
    "bnVsbA==",
    "eyJhIjoxfQ==",
    "WyJuYW1lIiwgMSwgIngiXQ==",
    "%ff",
    "é",
    "[" * 2000,
    "A" * 3000,
]


@pytest.mark.parametrize("sort", ["sort=price", "sort=-price", "sort=relevance", "sort=odd", "sort="])
async def test_an_invalid_sort_is_malformed(api: API, sort: str) -> None:
    assert malformed_fields(await api.get(f"/v1/products?{sort}"))


@pytest.mark.parametrize("sort", ["added", "newest", "name", "price&currency=EUR", "relevance&q=x"])
async def test_a_cursor_of_another_list_is_malformed(api: API, sort: str) -> None:
    await added(api, new_sku())
    await added(api, new_sku())
    named = (await api.get("/v1/products?sort=-name&limit=1")).json()["next"]
    for cursor in (*CURSORS, named):
        response = await api.get(f"/v1/products?sort={sort}&cursor={quote(cursor, safe='%')}")
        assert malformed_fields(response), cursor


@pytest.mark.parametrize("text", ['"', '""', "-", "--", '-"', "$", "{}", "\\", "the", "🔐", "a" * 200, "-a -b"])
async def test_any_words_can_be_searched_for(api: API, text: str) -> None:
    for path in ("/v1/products", "/v1/products/facets"):
        assert (await api.get(f"{path}?q={quote(text)}")).status_code == 200
