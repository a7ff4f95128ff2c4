"""API2:2023, broken authentication: what an attacker without an account tries with the addresses of others.

The routes of customer_svc and order_svc run in this process and share the key of tokens, as the services do; the
events of customer_svc are handled by notifier_svc's handlers.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer, private_key, record
from customer_svc.accounts import response_timing
from customer_svc.main import build as customers
from order_svc.main import build as orders
from schemas import encode
from tests.customer_svc.factories import (
    PASSWORD,
    WRONG_PASSWORD,
    log_in,
    mailed_token,
    new_email,
    published_events,
    register,
    register_customer,
    settings,
    stored_account,
)
from tests.databases import Databases
from tests.notifier_svc.ledger import consumer, mails_of
from tests.order_svc.apps import settings as order_settings
from tests.order_svc.rest import body
from tests.outbox import envelopes
from tests.responses import assert_problem, checked_client

OFTEN = 40
RESETS = "/v1/password-reset-mails"
FREE_TEXT = "You have won! Claim your prize at https://evil.example/prize now. " * 3


@dataclass(frozen=True)
class Shop:
    """Clients of two services, and the databases of three."""

    customers: httpx.AsyncClient
    orders: httpx.AsyncClient
    accounts: Postgres
    ledger: Postgres


@pytest.fixture(autouse=True)
def no_minimum_duration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_timing, "MIN_SECONDS", 0.0)


@pytest.fixture(scope="module")
def urls(databases: Databases) -> Iterator[dict[str, str]]:
    with (
        databases.lent("customer_svc") as accounts,
        databases.lent("order_svc") as book,
        databases.lent("notifier_svc") as ledger,
    ):
        yield {"customer": accounts, "order": book, "notifier": ledger}


@pytest.fixture(scope="module")
async def shop(urls: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    key: Path = tmp_path_factory.mktemp("keys") / "jwt.pem"
    key.write_bytes(private_key())
    accounts, ledger = Postgres(urls["customer"]), Postgres(urls["notifier"])
    async with (
        checked_client(customers(settings(urls["customer"], key))) as customer,
        checked_client(orders(order_settings(urls["order"], "http://127.0.0.1:9"))) as order,
    ):
        yield Shop(customer, order, accounts, ledger)
    await accounts.close()
    await ledger.close()


async def test_a_stranger_gets_one_mail_in_an_hour_whatever_is_done_with_the_address(shop: Shop) -> None:
    email = new_email()
    for _ in range(OFTEN):
        await register(shop.customers, email, name=FREE_TEXT)
        assert (await log_in(shop.customers, email)).status_code in (401, 429)
        assert (await shop.customers.post(RESETS, json={"email": email})).status_code in (202, 429)
    account = await stored_account(shop.accounts, email)
    consuming = consumer(shop.ledger)
    await consuming.handle([record(encode(envelope)) for envelope in await envelopes(shop.accounts, account.id)])
    assert [mail.template for mail in await mails_of(shop.ledger, account.id)] == ["welcome"]


async def test_an_account_whose_address_nobody_has_verified_orders_nothing(shop: Shop) -> None:
    account = await stored_account(shop.accounts, await register(shop.customers))
    token = bearer(account.id, verified=False)
    for _ in range(OFTEN):
        response = await shop.orders.post("/v1/orders", json=body(MUG=1), headers=token)
        assert_problem(response, 403, "email_not_verified")


async def test_a_registration_and_a_log_in_do_not_tell_whether_the_address_had_an_account(shop: Shop) -> None:
    seen = []
    for email in (new_email(), await register_customer(shop.customers), await register(shop.customers)):
        registered = await shop.customers.post(
            "/v1/customers", json={"email": email, "password": WRONG_PASSWORD, "name": "Eve"}
        )
        entered = await log_in(shop.customers, email, WRONG_PASSWORD)
        problem = assert_problem(entered, 401, "wrong_credentials") | {"request_id": ""}
        seen.append((registered.status_code, registered.text.replace(email, ""), problem))
    assert seen[1:] == seen[:1] * 2


async def test_the_owner_of_an_address_takes_the_account_that_somebody_else_registered_with_it(shop: Shop) -> None:
    email, theirs = await register(shop.customers, name=FREE_TEXT), "the password of the owner"
    await register(shop.customers, email, password=theirs)
    [event] = await published_events(shop.accounts, email)
    proof = {
        "token": mailed_token(getattr(event, "verify", None), "verify"),
        "owner": {"name": "Grace", "password": theirs},
    }
    assert (await shop.customers.post("/v1/email-verifications", json=proof)).status_code == 204
    assert_problem(await log_in(shop.customers, email, PASSWORD), 401, "wrong_credentials")
    session = (await log_in(shop.customers, email, theirs)).json()
    token = {"Authorization": f"Bearer {session['access_token']}"}
    assert (await shop.customers.get("/v1/customers/me", headers=token)).json()["name"] == "Grace"
    # Nothing is on sale here, but the order is looked at.
    assert_problem(
        await shop.orders.post("/v1/orders", json=body(MUG=1), headers=token), 503, "catalogue_unavailable"
    )


@pytest.mark.parametrize("route", ["enrolments", "confirmations", "removals"])
async def test_one_time_codes_do_not_tell_whether_an_address_was_free_and_nobody_adds_them_to_it(
    shop: Shop, route: str
) -> None:
    """They take address and password as a log-in does; else the owner of the address could be locked out."""
    seen = []
    for email in (await register(shop.customers), new_email()):
        credentials = {"email": email, "password": PASSWORD, **({} if route == "enrolments" else {"code": "123456"})}
        refused = await shop.customers.post(f"/v1/totp/{route}", json=credentials)
        seen.append(assert_problem(refused, 401, "wrong_credentials") | {"request_id": ""})
    assert seen[0] == seen[1]
