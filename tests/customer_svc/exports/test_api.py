"""Exporting all data of a customer, including those of the other services."""

import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from customer_svc.accounts.domain import Account
from customer_svc.clients import exports
from customer_svc.links.store import links
from customer_svc.main import build
from tests.customer_svc.email_changes.changing import change, request_change
from tests.customer_svc.exports.fake_services import RESPONSES, Behaviour, FakeServices, fake_services
from tests.customer_svc.factories import (
    ADDRESSES,
    API,
    ME,
    Headers,
    add_address,
    change_profile,
    erase,
    log_in_headers,
    new_customer,
    new_email,
    register_customer,
    settings,
    stored_account,
)
from tests.order_svc.event_streams import serving
from tests.responses import assert_problem, checked_client

EXPORT = f"{ME}/export"
ORDERS, NOTIFICATIONS = "/v1/exports/orders", "/v1/exports/notifications"
PARTS = {"orders": ORDERS, "notifications": NOTIFICATIONS}
PASSED_ON = ("iss", "sub", "role", "verified", "epoch", "sid")
FAILURES: list[Behaviour] = [*RESPONSES, "hang", "disconnect"]


@pytest.fixture
async def others() -> AsyncIterator[FakeServices]:
    async with fake_services() as services:
        yield services


@pytest.fixture
async def api(shared_url: str, key_file: Path, others: FakeServices) -> AsyncIterator[httpx.AsyncClient]:
    async with checked_client(
        build(settings(shared_url, key_file, order_url=others.url, notifier_url=others.url))
    ) as api:
        yield api


def claims(headers: Mapping[str, str]) -> Any:
    """Those of the access token in the headers of a request, whatever their case."""
    [token] = [value for name, value in headers.items() if name.lower() == "authorization"]
    return json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))


async def exported(api: API, headers: Headers) -> dict[str, Any]:
    response = await api.get(EXPORT, headers=headers)
    assert response.status_code == 200, response.text
    export: dict[str, Any] = response.json()
    return export


async def test_an_export_contains_everything_but_secrets(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    headers = await log_in_headers(api, email)
    await change_profile(api, headers, {"phone": "+442079460000", "marketing": True})
    await add_address(api, headers)
    response = await api.get(EXPORT, headers=headers)
    assert response.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    assert response.headers["content-type"] == "application/json"
    export = response.json()
    assert export["account"] == (await api.get(ME, headers=headers)).json()
    assert export["addresses"] == (await api.get(ADDRESSES, headers=headers)).json()["items"]
    assert [session["ended_at"] for session in export["sessions"]] == [None]
    assert [known["network"] for known in export["known_networks"]] == ["127.0.0.1"]
    account = await stored_account(shared, email)
    assert account.password_hash not in response.text
    internal = {"password_hash", "epoch", "epoch_changed_at", "warned_at", "verification_requested_at"}
    internal |= {"reset_requested_at"}
    stored = {column for column in Account.__dataclass_fields__ if column not in internal}
    shown = {*export, *export["account"]}
    assert stored - {"deactivated_by"} - {"version"} <= shown, "everything that is stored is exported"


async def test_an_export_contains_the_addresses_that_an_account_had_or_is_to_have(api: API, shared: Postgres) -> None:
    email, new, newest = await register_customer(api), new_email(), new_email()
    await change(api, shared, email, new)
    headers = await log_in_headers(api, new)
    assert (await request_change(api, headers, newest)).status_code == 202
    response = await api.get(EXPORT, headers=headers)
    found = [(one["purpose"], one["email"], one["used_at"]) for one in response.json()["links"] if one["email"]]
    assert found == [("revert", email, None), ("change", newest, None)]
    async with shared.reading() as connection:
        hashes = (await connection.execute(sa.select(links.c.token_hash))).scalars().all()
    assert not [one for one in hashes if one in response.text]


async def test_data_of_the_other_services_are_passed_on_unchanged(api: API, others: FakeServices) -> None:
    order = {"id": "o", "total": {"amount": 2**53 + 1}, "note": 'Grüße, "quoted" \u2028', "none": None, "more": [1.5]}
    others.items = {ORDERS: [order], NOTIFICATIONS: [{"id": "m"}, {"id": "n"}]}
    export = await exported(api, await new_customer(api))
    assert (export["orders"], export["notifications"]) == ([order], [{"id": "m"}, {"id": "n"}])


async def test_an_export_without_orders_and_mails_has_empty_lists(api: API) -> None:
    export = await exported(api, await new_customer(api))
    assert (export["orders"], export["notifications"]) == ([], [])


async def test_the_other_services_are_called_in_the_customers_name_with_tokens_that_no_other_accepts(
    api: API, others: FakeServices
) -> None:
    headers = await new_customer(api)
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    await api.get(EXPORT, headers={**headers, "traceparent": trace})
    assert {request.path for request in others.requests} == {ORDERS, NOTIFICATIONS}
    own, sent = claims(headers), {request.path: claims(request.headers) for request in others.requests}
    assert {path: one["aud"] for path, one in sent.items()} == {
        ORDERS: ["order_svc"],
        NOTIFICATIONS: ["notifier_svc"],
    }
    for one in sent.values():
        assert {name: one[name] for name in PASSED_ON} == {name: own[name] for name in PASSED_ON}
        assert own["exp"] - 5 < one["exp"] <= own["exp"]
    assert {request.headers["traceparent"].split("-")[1] for request in others.requests} == {"a" * 32}


async def test_thousands_of_orders_are_read_a_hundred_at_a_time(api: API, others: FakeServices) -> None:
    others.items = {path: [{"id": n} for n in range(count)] for path, count in ((ORDERS, 5000), (NOTIFICATIONS, 200))}
    export = await exported(api, await new_customer(api))
    assert [one["id"] for one in export["orders"]] == list(range(5000))
    assert [one["id"] for one in export["notifications"]] == list(range(200))
    assert len(others.requests) == 50 + 2


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("part", PARTS)
async def test_an_export_is_refused_if_another_service_fails(
    api: API, others: FakeServices, part: str, failure: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "TIMEOUT_SECONDS", 0.3)
    headers, others.behaviours = await new_customer(api), {PARTS[part]: failure}
    response = await api.get(EXPORT, headers=headers)
    assert assert_problem(response, 503, "export_unavailable")["part"] == part
    assert response.headers["retry-after"] == "1"
    others.behaviours = {}
    await exported(api, headers)


async def test_an_export_is_refused_if_another_service_is_not_running(shared_url: str, key_file: Path) -> None:
    async with checked_client(build(settings(shared_url, key_file))) as api:
        assert_problem(await api.get(EXPORT, headers=await new_customer(api)), 503, "export_unavailable")


async def test_an_export_that_breaks_off_is_not_valid_json(
    api: API, shared_url: str, key_file: Path, others: FakeServices
) -> None:
    others.items = {ORDERS: [{"id": n} for n in range(300)]}
    others.behaviours, others.good_requests = {ORDERS: "error"}, 2
    app = build(settings(shared_url, key_file, order_url=others.url, notifier_url=others.url))
    async with serving(app) as running:
        headers, received = {**await new_customer(api), "Accept-Encoding": "identity"}, bytearray()

        async def read(response: httpx.Response) -> None:
            async for chunk in response.aiter_raw():
                received.extend(chunk)

        async with running.client.stream("GET", EXPORT, headers=headers) as response:
            assert response.status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                await read(response)
    assert b'{"id":199}' in received
    with pytest.raises(json.JSONDecodeError):
        json.loads(received)


async def test_an_erased_customer_has_no_export_and_no_other_service_is_called(
    api: API, others: FakeServices
) -> None:
    headers = await new_customer(api)
    assert (await erase(api, headers)).status_code == 202
    assert_problem(await api.get(EXPORT, headers=headers), 401, "unauthenticated")
    assert others.requests == []
