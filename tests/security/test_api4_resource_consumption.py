"""OWASP API4:2023, unrestricted resource consumption: what was tried, as often as it was tried.

The limits themselves have tests beside the code: ``tests/chassis/runtime/test_bounded_http.py`` (headers, bodies,
connections), ``tests/product_svc/search/test_bounded.py``, ``tests/product_svc/categories/test_patterns.py``,
``tests/order_svc/usage/test_limits.py``, ``tests/order_svc/timeline/test_stream.py``.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from order_svc import SERVICE
from order_svc.errors import StreamLimitReached, TooManyStreams
from order_svc.main import build as build_orders
from order_svc.timeline.feed import MAX_FOLLOWERS, MAX_FOLLOWERS_OF_ACCOUNT, Follower, TimelineFeed
from order_svc.unit_of_work import OrderUnitOfWork
from product_svc.categories.patterns import PATTERNS
from tests.contracts.rest_apis import RestApis
from tests.databases import Databases, committing
from tests.order_svc.apps import settings as order_settings
from tests.order_svc.rest import body
from tests.order_svc.scenarios import product
from tests.product_svc.rest_factories import STAFF, added
from tests.responses import checked_client

ORDERS_PER_MINUTE, PIECES_HELD = 60, 9_000


@pytest.fixture
def postgres_url(databases: Databases) -> Iterator[str]:
    with databases.lent(SERVICE) as url:
        yield url


@pytest.fixture
async def orders(postgres_url: str) -> AsyncIterator[httpx.AsyncClient]:
    limited = order_settings(postgres_url, "http://127.0.0.1:9").model_copy(
        update={"orders_per_minute": ORDERS_PER_MINUTE, "pieces_held": PIECES_HELD}
    )
    async with checked_client(build_orders(limited)) as client:
        yield client


@pytest.fixture
async def products(apis: RestApis) -> AsyncIterator[httpx.AsyncClient]:
    # Not an app of its own: Beanie's documents belong to the app that was opened last, and this one is still needed.
    async with httpx.AsyncClient(base_url=apis.urls["product"]) as client:
        yield client


async def order_sku(postgres_url: str) -> str:
    database = Postgres(postgres_url)
    async with committing(database, OrderUnitOfWork) as commit:
        sku = await product(commit)
    await database.close()
    return sku


async def test_300_orders_in_a_row_by_one_account(orders: httpx.AsyncClient, postgres_url: str) -> None:
    headers, sku = bearer(), await order_sku(postgres_url)
    statuses: Counter[int] = Counter()
    for _ in range(15):
        group = [orders.post("/v1/orders", json=body(**{sku: 1}), headers=headers) for _ in range(20)]
        statuses.update(response.status_code for response in await asyncio.gather(*group))
    assert statuses == {202: ORDERS_PER_MINUTE, 429: 300 - ORDERS_PER_MINUTE}


async def test_one_account_does_not_hold_more_pieces_than_it_may(
    orders: httpx.AsyncClient, postgres_url: str
) -> None:
    headers, sku = bearer(), await order_sku(postgres_url)
    group = [orders.post("/v1/orders", json=body(**{sku: 1000}), headers=headers) for _ in range(20)]
    statuses = Counter(response.status_code for response in await asyncio.gather(*group))
    assert statuses == {202: 9, 409: 11}


async def test_100_accounts_do_not_keep_others_from_their_timelines(postgres_url: str) -> None:
    database = Postgres(postgres_url)
    feed = TimelineFeed(database)
    accounts, order = [uuid7() for _ in range(MAX_FOLLOWERS // MAX_FOLLOWERS_OF_ACCOUNT)], uuid7()
    with ExitStack() as streams:
        for account in accounts:
            for _ in range(MAX_FOLLOWERS_OF_ACCOUNT):
                streams.enter_context(feed.follow(order, account, 60))
            with pytest.raises(TooManyStreams):
                streams.enter_context(feed.follow(order, account, 60))
        others: list[Follower] = [streams.enter_context(feed.follow(order, uuid7(), 60)) for _ in range(200)]
        assert feed.followers == MAX_FOLLOWERS
        assert not any(follower.ends for follower in others)
        # Those who were displaced do not displace others in turn.
        with pytest.raises(StreamLimitReached):
            streams.enter_context(feed.follow(order, accounts[0], 60))
    assert feed.followers == 0
    await database.close()


async def test_60_anonymous_requests_for_facets_by_20_clients(products: httpx.AsyncClient) -> None:
    for number in range(20):
        await added(products, f"SKU-{number}", attributes={"material": "steel"})
    path = "/v1/products/facets?attribute=material:steel"

    async def client() -> list[int]:
        return [(await products.get(path)).status_code for _ in range(3)]

    statuses = [status for one in await asyncio.gather(*(client() for _ in range(20))) for status in one]
    assert statuses == [200] * 60


async def test_a_category_with_40_costly_patterns(products: httpx.AsyncClient) -> None:
    rules = {f"a{n}": {"type": "string", "pattern": rf"\w{{{200 + n}}}"} for n in range(40)}
    schema = {"type": "object", "properties": rules}
    response = await products.post("/v1/categories", json={"name": "x", "attributes_schema": schema}, headers=STAFF)
    assert response.status_code == 422
    assert not [rule["pattern"] for rule in rules.values() if rule["pattern"] in PATTERNS], "none was compiled"
