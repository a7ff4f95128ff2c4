"""Passwords cannot be guessed without end: counts that processes share."""

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
from customer_svc.passwords import Passwords
from customer_svc.store import throttles
from customer_svc.throttle import Limit, Throttle, network
from tests.answers import refused, watched
from tests.customer_svc.conftest import settings
from tests.customer_svc.people import API, PASSWORD, log_in, new_email, registered, registration

TRIES = 3
WRONG = "wrong horse battery"


@pytest.fixture(scope="module")
def app(shared_url: str, key_file: Path) -> FastAPI:
    return build(settings(shared_url, key_file, login_tries_per_account=TRIES, login_tries_per_address=20))


@pytest.fixture(autouse=True)
async def nothing_was_tried(shared: Postgres) -> AsyncIterator[None]:
    yield
    async with shared.reading() as connection:
        await connection.execute(sa.delete(throttles))


@pytest.fixture
async def other(shared_url: str, key_file: Path) -> AsyncIterator[API]:
    """Another process."""
    told = settings(shared_url, key_file, login_tries_per_account=TRIES, login_tries_per_address=20)
    async with watched(build(told)) as client:
        yield client


async def test_after_some_wrong_passwords_the_right_one_has_to_wait(api: API) -> None:
    email = await registered(api)
    for _ in range(TRIES):
        refused(await log_in(api, email, WRONG), 401, "wrong_credentials")
    answer = await log_in(api, email)
    refused(answer, 429, "too_many_tries")
    assert 0 < int(answer.headers["retry-after"]) <= 60


async def test_an_unknown_account_is_throttled_alike(api: API) -> None:
    email = new_email()
    answers = [await log_in(api, email, WRONG) for _ in range(TRIES + 1)]
    assert [answer.status_code for answer in answers] == [401] * TRIES + [429]


async def test_processes_count_together(api: API, other: API) -> None:
    email = await registered(api)
    answers = [await log_in(one, email.upper(), WRONG) for one in (api, other, api, other)]
    assert [answer.status_code for answer in answers] == [401] * TRIES + [429]


async def test_guesses_at_once_do_not_slip_through(api: API, other: API) -> None:
    email = await registered(api)
    answers = await asyncio.gather(*(log_in(one, email, WRONG) for _ in range(5) for one in (api, other)))
    assert sorted(answer.status_code for answer in answers) == [401] * TRIES + [429] * (10 - TRIES)


async def test_whoever_knows_the_password_logs_in_as_often_as_they_like(api: API) -> None:
    email = await registered(api)
    assert {(await log_in(api, email)).status_code for _ in range(2 * TRIES)} == {201}


async def test_one_address_cannot_try_many_accounts_and_others_still_can(api: API, app: FastAPI) -> None:
    for _ in range(20):
        await api.post("/v1/password-reset-mails", json={"email": new_email()})
    email = await registered(api)
    refused(await log_in(api, email), 429, "too_many_tries")
    elsewhere = httpx.ASGITransport(app, client=("198.51.100.7", 1))
    async with httpx.AsyncClient(transport=elsewhere, base_url="http://test") as neighbour:
        assert (await log_in(neighbour, email)).status_code == 201


async def test_one_address_cannot_register_many_customers_and_others_still_can(
    shared_url: str, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    monkeypatch.setattr(Passwords, "hashed", lambda _self, password: _noted(hashed, password))
    app = build(settings(shared_url, key_file, register_tries_per_address=TRIES))
    async with watched(app) as api:
        known = new_email()
        answers = [await api.post("/v1/customers", json=registration(known)) for _ in range(TRIES + 1)]
        assert [answer.status_code for answer in answers] == [202] * TRIES + [429]
        refused(answers[-1], 429, "too_many_tries")
        assert 0 < int(answers[-1].headers["retry-after"]) <= 6
        assert len(hashed) == TRIES, "who is sent away costs no hash"
        # Nor do they keep anybody from logging in who comes from there.
        refused(await log_in(api, new_email(), WRONG), 401, "wrong_credentials")
        elsewhere = httpx.ASGITransport(app, client=("198.51.100.7", 1))
        async with httpx.AsyncClient(transport=elsewhere, base_url="http://test") as neighbour:
            assert (await neighbour.post("/v1/customers", json=registration(new_email()))).status_code == 202


async def test_a_guess_at_the_current_password_counts_too(api: API) -> None:
    email = await registered(api)
    token = (await log_in(api, email)).json()["access_token"]
    body = {"current_password": WRONG, "new_password": PASSWORD}
    who = {"Authorization": f"Bearer {token}"}
    answers = [await api.post("/v1/customers/me/password-changes", json=body, headers=who) for _ in range(TRIES + 1)]
    assert [answer.status_code for answer in answers] == [403] * TRIES + [429]


async def test_a_try_comes_back_after_its_time(shared: Postgres) -> None:
    throttle, email = Throttle(shared, Limit(2, 60), Limit(50, 1), Limit(3, 60)), new_email()
    for expected in (True, True, False):
        assert await tried(throttle, email) is expected
    await pass_by(shared, 60)
    assert await tried(throttle, email)
    assert not await tried(throttle, email)


async def test_what_was_saved_up_is_never_more_than_the_limit(shared: Postgres) -> None:
    throttle, email = Throttle(shared, Limit(2, 60), Limit(50, 1), Limit(3, 60)), new_email()
    await tried(throttle, email)
    await pass_by(shared, 86_400)
    assert [await tried(throttle, email) for _ in range(3)] == [True, True, False]


async def test_no_address_of_a_mailbox_is_kept(shared: Postgres) -> None:
    email = new_email()
    await tried(Throttle(shared, Limit(2, 60), Limit(50, 1), Limit(3, 60)), email)
    async with shared.reading() as connection:
        assert email not in str((await connection.execute(sa.select(throttles))).all())


async def test_a_known_and_an_unknown_account_cost_one_hash_each(api: API, monkeypatch: pytest.MonkeyPatch) -> None:
    email, checked, matches = await registered(api), [0], Passwords.matches

    async def counted(self: Passwords, password: str, stored: str | None) -> bool:
        checked[0] += 1
        return await matches(self, password, stored)

    monkeypatch.setattr(Passwords, "matches", counted)
    for one in (email, new_email()):
        checked[0] = 0
        refused(await log_in(api, one, WRONG), 401, "wrong_credentials")
        assert checked == [1]


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "nowhere"),
        ("unix", "nowhere"),
    ],
)
def test_a_subscriber_of_ipv6_is_one_however_many_addresses_it_has(address: str, counted_as: str) -> None:
    assert network(address) == counted_as


async def _noted(hashed: list[str], password: str) -> str:
    hashed.append(password)
    return "no hash"


async def tried(throttle: Throttle, email: str) -> bool:
    """Try a wrong password; False if it was not looked at."""
    try:
        async with throttle.trying(email, "192.0.2.1"):
            raise WrongCredentials
    except WrongCredentials:
        return True
    except Exception:  # noqa: BLE001
        return False


async def pass_by(database: Postgres, seconds: int) -> None:
    """Let time pass for every count."""
    earlier = throttles.c.free_at - sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    async with database.reading() as connection:
        await connection.execute(sa.update(throttles).values(free_at=earlier))
