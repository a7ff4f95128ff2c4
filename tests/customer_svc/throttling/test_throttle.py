"""Attempts to guess a password, reset requests and registrations are limited across processes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from chassis.persistence.postgres.database import Postgres
from customer_svc.errors import WrongCredentials
from customer_svc.main import build
from customer_svc.passwords.hasher import PasswordHasher
from customer_svc.throttling.domain import WIDER, Limit, network
from customer_svc.throttling.store import is_known, known_networks, throttles
from customer_svc.throttling.throttle import Throttle
from tests.customer_svc.factories import (
    API,
    PASSWORD,
    WRONG_PASSWORD,
    log_in,
    mailed_token,
    new_email,
    published_events,
    register_customer,
    registration_body,
    settings,
    stored_account,
)
from tests.responses import assert_problem, checked_client

ATTEMPTS = 3


@pytest.fixture(scope="module")
def app(shared_url: str, key_file: Path) -> FastAPI:
    return build(settings(shared_url, key_file, login_tries_per_account=ATTEMPTS, login_tries_per_address=20))


@pytest.fixture(autouse=True)
async def no_attempts_yet(shared: Postgres) -> AsyncIterator[None]:
    yield
    async with shared.reading() as connection:
        await connection.execute(sa.delete(throttles))


@pytest.fixture
async def other(shared_url: str, key_file: Path) -> AsyncIterator[API]:
    """Another process."""
    limited = settings(shared_url, key_file, login_tries_per_account=ATTEMPTS, login_tries_per_address=20)
    async with checked_client(build(limited)) as client:
        yield client


def elsewhere(app: FastAPI, address: str = "198.51.100.7") -> API:
    """A client in another network."""
    transport = httpx.ASGITransport(app, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def test_after_some_wrong_passwords_the_right_one_is_refused_as_well(api: API) -> None:
    email = await register_customer(api)
    for _ in range(ATTEMPTS):
        assert_problem(await log_in(api, email, WRONG_PASSWORD), 401, "wrong_credentials")
    response = await log_in(api, email)
    assert_problem(response, 429, "too_many_attempts")
    assert 0 < int(response.headers["retry-after"]) <= 60


async def test_an_unknown_account_is_throttled_like_a_known_one(api: API) -> None:
    email = new_email()
    responses = [await log_in(api, email, WRONG_PASSWORD) for _ in range(ATTEMPTS + 1)]
    assert [response.status_code for response in responses] == [401] * ATTEMPTS + [429]


async def test_processes_share_their_counts(api: API, other: API) -> None:
    email = await register_customer(api)
    responses = [await log_in(one, email.upper(), WRONG_PASSWORD) for one in (api, other, api, other)]
    assert [response.status_code for response in responses] == [401] * ATTEMPTS + [429]


async def test_concurrent_attempts_are_limited(api: API, other: API) -> None:
    email = await register_customer(api)
    responses = await asyncio.gather(*(log_in(one, email, WRONG_PASSWORD) for _ in range(5) for one in (api, other)))
    assert sorted(response.status_code for response in responses) == [401] * ATTEMPTS + [429] * (10 - ATTEMPTS)


async def test_log_ins_with_the_right_password_are_not_limited(api: API) -> None:
    email = await register_customer(api)
    assert {(await log_in(api, email)).status_code for _ in range(2 * ATTEMPTS)} == {201}


async def test_one_network_address_cannot_try_many_accounts_and_others_still_can(api: API, app: FastAPI) -> None:
    for _ in range(20):
        await api.post("/v1/password-reset-mails", json={"email": new_email()})
    email = await register_customer(api)
    assert_problem(await log_in(api, email), 429, "too_many_attempts")
    async with elsewhere(app) as neighbour:
        assert (await log_in(neighbour, email)).status_code == 201


async def test_one_network_address_cannot_register_many_customers_and_others_still_can(
    shared_url: str, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    monkeypatch.setattr(PasswordHasher, "hash", lambda _self, password: _recorded(hashed, password))
    app = build(settings(shared_url, key_file, register_tries_per_address=ATTEMPTS))
    async with checked_client(app) as api:
        known = new_email()
        responses = [await api.post("/v1/customers", json=registration_body(known)) for _ in range(ATTEMPTS + 1)]
        assert [response.status_code for response in responses] == [202] * ATTEMPTS + [429]
        assert_problem(responses[-1], 429, "too_many_attempts")
        assert 0 < int(responses[-1].headers["retry-after"]) <= 6
        assert len(hashed) == ATTEMPTS, "a refused registration costs no hash"
        # Clients of the same network can still log in.
        assert_problem(await log_in(api, new_email(), WRONG_PASSWORD), 401, "wrong_credentials")
        async with elsewhere(app) as neighbour:
            assert (await neighbour.post("/v1/customers", json=registration_body(new_email()))).status_code == 202


async def test_strangers_use_up_neither_the_log_ins_nor_the_reset_mails_of_an_owner(api: API, app: FastAPI) -> None:
    email, mail = await register_customer(api), "/v1/password-reset-mails"
    async with elsewhere(app) as stranger:
        tries = [await log_in(stranger, email, WRONG_PASSWORD) for _ in range(ATTEMPTS + 1)]
        mails = [await stranger.post(mail, json={"email": email}) for _ in range(ATTEMPTS + 1)]
    assert [tries[-1].status_code, mails[-1].status_code] == [429, 429]
    assert (await log_in(api, email)).status_code == 201
    assert (await api.post(mail, json={"email": email})).status_code == 202


async def test_a_network_that_sends_links_that_do_not_fit_is_throttled(api: API, app: FastAPI) -> None:
    async with elsewhere(app) as stranger:
        for path, more in (("email-verifications", {}), ("password-resets", {"new_password": PASSWORD})):
            responses = [await stranger.post(f"/v1/{path}", json={"token": "x", **more}) for _ in range(10)]
            assert {response.status_code for response in responses} == {409}
        assert_problem(await stranger.post("/v1/email-verifications", json={"token": "x"}), 429, "too_many_attempts")
    assert_problem(await api.post("/v1/email-verifications", json={"token": "x"}), 409, "link_invalid")


async def test_many_networks_together_have_few_attempts_and_those_of_the_owner_are_exempt(
    api: API, shared: Postgres
) -> None:
    throttle, email = Throttle(shared, Limit(1, 60), Limit(50, 1), Limit(3, 60)), await register_customer(api)
    await throttle.remember((await stored_account(shared, email)).id, "192.0.2.1")
    tries = [await attempt(throttle, email, f"198.51.100.{number}") for number in range(WIDER + 1)]
    assert tries == [True] * WIDER + [False]
    assert not await attempt(throttle, email, "203.0.113.1")
    assert await attempt(throttle, email, "192.0.2.1")
    assert not await attempt(throttle, email, "192.0.2.1"), "its own attempts count"


@pytest.mark.parametrize("route", ["/v1/sessions", "/v1/totp/enrolments"])
async def test_every_route_that_takes_a_password_limits_many_networks_together(
    api: API, app: FastAPI, route: str
) -> None:
    body = {"email": await register_customer(api), "password": WRONG_PASSWORD}
    statuses = []
    for number in range(ATTEMPTS * WIDER + 1):
        async with elsewhere(app, f"198.51.100.{number}") as client:
            statuses.append((await client.post(route, json=body)).status_code)
    assert statuses == [401] * (ATTEMPTS * WIDER) + [429]


async def test_a_log_in_and_a_reset_make_a_network_known(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    assert not await is_known(shared, email, "127.0.0.1")
    await log_in(api, email, WRONG_PASSWORD)
    assert not await is_known(shared, email, "127.0.0.1")
    await log_in(api, email)
    assert await is_known(shared, email.upper(), "127.0.0.1")
    assert not await is_known(shared, email, "192.0.2.1")
    async with shared.reading() as connection:
        await connection.execute(sa.delete(known_networks))
    await api.post("/v1/password-reset-mails", json={"email": email})
    [_, requested] = await published_events(shared, email)
    token = mailed_token(getattr(requested, "reset", None), "reset")
    assert (await api.post("/v1/password-resets", json={"token": token, "new_password": PASSWORD})).is_success
    assert await is_known(shared, email, "127.0.0.1")


async def test_a_site_of_ipv6_is_counted_by_network_and_as_a_whole(shared: Postgres) -> None:
    throttle = Throttle(shared, Limit(50, 1), Limit(2, 60), Limit(3, 60))
    one = [await attempt(throttle, new_email(), f"2001:db8:1::{number}") for number in range(3)]
    assert one == [True, True, False]
    others = [await attempt(throttle, new_email(), f"2001:db8:1:{number:x}::1") for number in range(1, 2 * WIDER)]
    assert others == [True] * (2 * WIDER - 2) + [False]
    assert await attempt(throttle, new_email(), "2001:db8:2::1")


async def test_attempts_to_change_a_password_count_as_well(api: API) -> None:
    email = await register_customer(api)
    token = (await log_in(api, email)).json()["access_token"]
    body = {"current_password": WRONG_PASSWORD, "new_password": PASSWORD}
    headers = {"Authorization": f"Bearer {token}"}
    responses = [
        await api.post("/v1/customers/me/password-changes", json=body, headers=headers) for _ in range(ATTEMPTS + 1)
    ]
    assert [response.status_code for response in responses] == [403] * ATTEMPTS + [429]


async def test_another_attempt_is_possible_after_the_interval(shared: Postgres) -> None:
    throttle, email = Throttle(shared, Limit(2, 60), Limit(50, 1), Limit(3, 60)), new_email()
    for expected in (True, True, False):
        assert await attempt(throttle, email) is expected
    await let_pass(shared, 60)
    assert await attempt(throttle, email)
    assert not await attempt(throttle, email)


async def test_attempts_do_not_accumulate_beyond_the_limit(shared: Postgres) -> None:
    throttle, email = Throttle(shared, Limit(2, 60), Limit(50, 1), Limit(3, 60)), new_email()
    await attempt(throttle, email)
    await let_pass(shared, 86_400)
    assert [await attempt(throttle, email) for _ in range(3)] == [True, True, False]


async def test_no_email_address_is_stored(shared: Postgres) -> None:
    email = new_email()
    await attempt(Throttle(shared, Limit(2, 60), Limit(50, 1), Limit(3, 60)), email)
    async with shared.reading() as connection:
        assert email not in str((await connection.execute(sa.select(throttles))).all())


async def test_a_log_in_checks_one_hash_whether_or_not_there_is_an_account(
    api: API, monkeypatch: pytest.MonkeyPatch
) -> None:
    email, checked, matches = await register_customer(api), [0], PasswordHasher.matches

    async def counted(self: PasswordHasher, password: str, stored: str | None) -> bool:
        checked[0] += 1
        return await matches(self, password, stored)

    monkeypatch.setattr(PasswordHasher, "matches", counted)
    for one in (email, new_email()):
        checked[0] = 0
        assert_problem(await log_in(api, one, WRONG_PASSWORD), 401, "wrong_credentials")
        assert checked == [1]


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", "nowhere"),
        ("unix", "nowhere"),
    ],
)
def test_a_client_is_counted_by_its_ipv4_address_or_its_network_of_ipv6(address: str, counted_as: str) -> None:
    assert network(address) == counted_as


async def _recorded(hashed: list[str], password: str) -> str:
    hashed.append(password)
    return "no hash"


async def attempt(throttle: Throttle, email: str, client_address: str = "192.0.2.1") -> bool:
    """Try a wrong password; return whether it was checked."""
    try:
        async with throttle.log_in_attempt(email, client_address):
            raise WrongCredentials
    except WrongCredentials:
        return True
    except Exception:  # noqa: BLE001
        return False


async def let_pass(database: Postgres, seconds: int) -> None:
    """Make it look as if every attempt had been made earlier."""
    earlier = throttles.c.free_at - sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    async with database.reading() as connection:
        await connection.execute(sa.update(throttles).values(free_at=earlier))
