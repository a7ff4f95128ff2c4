"""API6:2023, unrestricted access to sensitive business flows: buying the shop empty, and using it against others.

Tried: 60 rounds of ordering and cancelling at once; as many amendments as orders; pieces held through many small
orders, through amendments, and again after a cancellation; the same order 50 times with one idempotency key; 60
registrations of one network and 60 of as many networks; 80 requests for mails to a customer, from 40 networks. (300
orders in a row are in ``test_api4_resource_consumption.py``; mails to an address that nobody has verified in
``test_api2_broken_authentication.py``.)
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer, private_key
from customer_svc.accounts import response_timing
from customer_svc.main import build as build_customers
from order_svc.main import build as build_orders
from order_svc.unit_of_work import OrderUnitOfWork
from tests.customer_svc.factories import new_email, published_events, register_customer, registration_body, settings
from tests.databases import Databases, committing
from tests.order_svc.apps import settings as order_settings
from tests.order_svc.rest import body, lines, place
from tests.order_svc.scenarios import product
from tests.responses import assert_problem, checked_client

PER_MINUTE, HELD = 20, 50
REGISTRATIONS = 10


@pytest.fixture(scope="module")
def book(databases: Databases) -> Iterator[str]:
    with databases.lent("order_svc") as url:
        yield url


@pytest.fixture(scope="module")
async def orders(book: str) -> AsyncIterator[httpx.AsyncClient]:
    limits = {"orders_per_minute": PER_MINUTE, "pieces_held": HELD}
    async with checked_client(
        build_orders(order_settings(book, "http://127.0.0.1:9").model_copy(update=limits))
    ) as api:
        yield api


@pytest.fixture(scope="module")
async def sku(book: str, orders: httpx.AsyncClient) -> str:
    database = Postgres(book)
    async with committing(database, OrderUnitOfWork) as commit:
        made = await product(commit)
    await database.close()
    return made


@pytest.fixture(scope="module")
async def accounts(databases: Databases) -> AsyncIterator[Postgres]:
    with databases.lent("customer_svc") as url:
        database = Postgres(url)
        yield database
        await database.close()


@pytest.fixture(scope="module")
async def customers(accounts: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    key: Path = tmp_path_factory.mktemp("keys") / "jwt.pem"
    key.write_bytes(private_key())
    url = accounts.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    # A registration less from one network in an hour: none is given back while the test runs.
    limits = {"register_tries_per_address": REGISTRATIONS, "register_seconds_per_address": 3600}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(response_timing, "MIN_SECONDS", 0.0)
        async with checked_client(build_customers(settings(url, key, **limits))) as api:
            yield api


async def test_orders_that_are_cancelled_at_once_count_all_the_same(orders: httpx.AsyncClient, sku: str) -> None:
    headers, statuses = bearer(), Counter[int]()
    for _ in range(60):
        response = await orders.post("/v1/orders", json=body(**{sku: 1}), headers=headers)
        statuses[response.status_code] += 1
        if response.status_code == 202:
            await orders.post(f"{response.headers['location']}/cancel", headers=headers)
    assert statuses == {202: PER_MINUTE, 429: 60 - PER_MINUTE}


async def test_amendments_count_as_orders_do(orders: httpx.AsyncClient, sku: str) -> None:
    headers = bearer()
    for _ in range(PER_MINUTE // 2):
        order = await place(orders, sku, 1, headers)
        change, more = lines(**{sku: 2}), {**headers, "If-Match": "*"}
        assert (await orders.patch(f"/v1/orders/{order['id']}", json=change, headers=more)).status_code == 202
    one_more = await orders.post("/v1/orders", json=body(**{sku: 1}), headers=headers)
    assert_problem(one_more, 429, "too_many_orders")


async def test_pieces_are_counted_over_all_orders_and_come_back_with_a_cancellation(
    orders: httpx.AsyncClient, sku: str
) -> None:
    headers = bearer()
    placed = [await place(orders, sku, HELD // 5, headers) for _ in range(5)]
    one_more = await orders.post("/v1/orders", json=body(**{sku: 1}), headers=headers)
    assert_problem(one_more, 409, "too_many_pieces")
    more = {**headers, "If-Match": "*"}
    amended = await orders.patch(f"/v1/orders/{placed[0]['id']}", json=lines(**{sku: HELD // 5 + 1}), headers=more)
    assert_problem(amended, 409, "too_many_pieces")
    assert (await orders.post(f"/v1/orders/{placed[0]['id']}/cancel", headers=headers)).is_success
    await place(orders, sku, HELD // 5, headers)
    assert_problem(await orders.post("/v1/orders", json=body(**{sku: 1}), headers=headers), 409, "too_many_pieces")
    await place(orders, sku, HELD, bearer())


async def test_an_order_that_is_sent_50_times_with_its_key_is_one(orders: httpx.AsyncClient, sku: str) -> None:
    headers = bearer() | {"Idempotency-Key": str(uuid4())}
    group = [orders.post("/v1/orders", json=body(**{sku: HELD}), headers=headers) for _ in range(50)]
    answers = await asyncio.gather(*group)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.headers["location"] for answer in answers}) == 1


def from_network(api: httpx.AsyncClient, address: str) -> httpx.AsyncClient:
    """A client of the same app with another address."""
    app = api.app  # type: ignore[attr-defined]
    transport = httpx.ASGITransport(app, client=(address, 4711), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def registered(api: httpx.AsyncClient, address: str) -> int:
    async with from_network(api, address) as client:
        return (await client.post("/v1/customers", json=registration_body(new_email()))).status_code


async def test_one_network_registers_a_few_accounts_and_others_are_not_in_its_way(
    customers: httpx.AsyncClient,
) -> None:
    of_one = Counter([await registered(customers, "203.0.113.7") for _ in range(30)])
    assert of_one == {202: REGISTRATIONS, 429: 30 - REGISTRATIONS}
    assert Counter([await registered(customers, f"198.51.100.{n}") for n in range(30)]) == {202: 30}


async def test_addresses_of_one_ipv6_site_are_one_network(customers: httpx.AsyncClient) -> None:
    """A customer of a provider has billions of addresses, and thousands of networks."""
    of_one = Counter([await registered(customers, f"2001:db8:1:1::{n:x}") for n in range(1, 21)])
    assert of_one == {202: REGISTRATIONS, 429: 20 - REGISTRATIONS}


async def test_strangers_in_40_networks_send_a_customer_two_mails(
    customers: httpx.AsyncClient, accounts: Postgres
) -> None:
    """A warning that somebody registered the address, at most once an hour, and a link that resets the password."""
    email = await register_customer(customers)
    before = len(await published_events(accounts, email))
    for number in range(40):
        async with from_network(customers, f"192.0.2.{number}") as client:
            assert (await client.post("/v1/customers", json=registration_body(email))).status_code == 202
            assert (await client.post("/v1/password-reset-mails", json={"email": email})).status_code == 202
    causes = [event.type for event in (await published_events(accounts, email))[before:]]
    assert sorted(causes) == ["customer.password_reset_requested", "customer.registration_repeated"]
