"""What anonymous searches may cost others: counts are kept, few are made at once, and the rest has to wait."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import httpx
import pytest

from chassis.runtime.gate import Gate
from product_svc.errors import TooManySearches
from product_svc.main import build
from product_svc.search import bounded, queries, suggestions
from product_svc.search.bounded import Kept
from product_svc.search.domain import Search, Sort, in_order_of_an_index
from tests.product_svc.apps import settings
from tests.product_svc.rest_factories import added
from tests.responses import assert_problem, checked_client

FACETS = "/v1/products/facets"
KEPT_SECONDS = 60.0


@pytest.fixture
async def front(shared_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A REST process of its own, which keeps counts."""
    kept = settings(shared_url).model_copy(update={"facets_seconds": KEPT_SECONDS})
    async with checked_client(build(kept)) as client:
        yield client


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """``all``: searches so far; ``most``: those at the same time. Each takes a twentieth of a second longer."""
    count: Counter[str] = Counter()

    def slowed(read: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def slow(*arguments: Any) -> Any:
            count["all"] += 1
            count["now"] += 1
            count["most"] = max(count["most"], count["now"])
            await asyncio.sleep(0.05)
            try:
                return await read(*arguments)
            finally:
                count["now"] -= 1

        return slow

    for name in ("facets", "total"):
        monkeypatch.setattr(queries, name, slowed(getattr(queries, name)))
    monkeypatch.setattr(queries, "_listed", slowed(queries._listed))
    monkeypatch.setattr(bounded, "suggestions", slowed(suggestions.suggestions))
    return count


async def test_the_same_counts_are_made_once(front: httpx.AsyncClient, running: Counter[str]) -> None:
    paths = [f"{FACETS}?attribute=a:1&attribute=b:2", f"{FACETS}?attribute=b:2&attribute=a:1"]
    responses = await asyncio.gather(*(front.get(path) for path in paths * 10))
    assert {response.status_code for response in responses} == {200}
    assert (await front.get(paths[0])).json() == responses[0].json()
    assert running["all"] == 1


async def test_the_same_totals_and_suggestions_are_made_once(front: httpx.AsyncClient, running: Counter[str]) -> None:
    suggested = ["/v1/products/suggestions?q=mu", "/v1/products/suggestions?q=M%C3%9A&limit=2"]
    await asyncio.gather(*(front.get(path) for path in suggested * 10))
    assert running["all"] == 1
    listed = await asyncio.gather(*(front.get("/v1/products?sku=A&count=true") for _ in range(10)))
    assert {response.json()["total"] for response in listed} == {0}
    assert running["all"] == 1 + len(listed) + 1


async def test_a_flood_of_suggestions_has_to_wait(front: httpx.AsyncClient, running: Counter[str]) -> None:
    responses = await asyncio.gather(*(front.get(f"/v1/products/suggestions?q=mu{n}") for n in range(60)))
    statuses = Counter(response.status_code for response in responses)
    assert running["most"] == bounded.SUGGESTIONS_AT_ONCE
    assert statuses[200] == bounded.SUGGESTIONS_AT_ONCE + bounded.SUGGESTIONS_WAITING
    assert_problem(next(one for one in responses if one.status_code != 200), 429, "too_many_searches")


async def test_counts_are_some_seconds_old(front: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{FACETS}?attribute=only:here"
    assert (await front.get(path)).json()["total"] == 0
    await added(front, "ONLY-HERE", attributes={"only": "here"})
    assert (await front.get(path)).json()["total"] == 0
    later = bounded.clock() + KEPT_SECONDS
    monkeypatch.setattr(bounded, "clock", lambda: later)
    assert (await front.get(path)).json()["total"] == 1


async def test_a_flood_of_different_counts_has_to_wait(front: httpx.AsyncClient, running: Counter[str]) -> None:
    responses = await asyncio.gather(*(front.get(f"{FACETS}?currency=EUR&price_min={n}") for n in range(60)))
    statuses = Counter(response.status_code for response in responses)
    assert running["most"] == bounded.COUNTS_AT_ONCE
    assert set(statuses) == {200, 429}
    assert statuses[200] == bounded.COUNTS_AT_ONCE + bounded.COUNTS_WAITING
    refused = next(response for response in responses if response.status_code == 429)
    assert_problem(refused, 429, "too_many_searches")
    assert refused.headers["retry-after"] == "1"


async def test_a_flood_of_costly_searches_leaves_the_catalogue_to_others(
    front: httpx.AsyncClient, running: Counter[str]
) -> None:
    flood = [asyncio.create_task(front.get(f"/v1/products?q=mug{n}")) for n in range(60)]
    while running["most"] < bounded.AT_ONCE:
        await asyncio.sleep(0.005)
    assert running["most"] == bounded.AT_ONCE
    assert (await front.get("/v1/products")).status_code == 200
    statuses = Counter(response.status_code for response in await asyncio.gather(*flood))
    assert statuses == {200: bounded.AT_ONCE + bounded.WAITING, 429: 60 - bounded.AT_ONCE - bounded.WAITING}


@pytest.mark.parametrize(("seconds", "made"), [(60.0, [1, 2, 3, 1]), (0.0, [1, 2, 3, 3, 1])])
async def test_old_results_make_place_for_new_ones(seconds: float, made: list[int]) -> None:
    kept: Kept[int] = Kept(Gate(1, 1, 1.0, TooManySearches), seconds, most=2)
    found: list[int] = []

    async def make(number: int) -> int:
        found.append(number)
        return number

    for number in (1, 2, 3, 3, 1):
        assert await kept.get(number, partial(make, number)) == number
    assert (found, len(kept) <= 2) == (made, True)


@pytest.mark.parametrize(
    ("search", "sort", "cheap"),
    [
        (Search(), "added", True),
        (Search(), "name", True),
        (Search(), "-name", True),
        (Search(currency="EUR"), "price", True),
        (Search(currency="EUR"), "name", False),
        (Search(available=True), "name", True),
        (Search(attributes={"a": ["1"], "b": ["2"]}), "added", False),
        (Search(text="mug"), "added", False),
        (Search(attributes={"a": ["1"]}), "added", True),
        (Search(available=False), "added", False),
        (Search(currency="EUR", price_min=0), "added", False),
        (Search(statuses=["discontinued"]), "added", True),
        (Search(skus=["A"], available=True), "price", True),
        (Search(skus=["A"], text="mug"), "relevance", False),
    ],
)
def test_what_an_index_gives_in_order_is_cheap(search: Search, sort: Sort, cheap: bool) -> None:
    assert in_order_of_an_index(search, sort) is cheap
