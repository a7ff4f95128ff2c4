"""One-time codes over REST: enrolment, log-in, removal, and accounts that may not do without."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from customer_svc.main import build
from customer_svc.throttling.store import throttles
from customer_svc.totp.domain import STEP_SECONDS, code_at
from customer_svc.totp.store import totps
from tests.customer_svc.factories import (
    API,
    ME,
    PASSWORD,
    WRONG_PASSWORD,
    log_in,
    new_email,
    new_staff,
    register_customer,
    settings,
    stored_account,
)
from tests.responses import assert_problem, checked_client, malformed_fields

ENROL, CONFIRM, REMOVE = (f"/v1/totp/{what}" for what in ("enrolments", "confirmations", "removals"))
ATTEMPTS = 4
WRONG_CODE = "no code"


@pytest.fixture(scope="module")
def app(shared_url: str, key_file: Path) -> FastAPI:
    return build(settings(shared_url, key_file, login_tries_per_account=ATTEMPTS))


@pytest.fixture
async def strict(shared_url: str, key_file: Path) -> AsyncIterator[API]:
    """A process where staff and ops need one-time codes."""
    async with checked_client(build(settings(shared_url, key_file, staff_totp="required"))) as client:
        yield client


def credentials(email: str, code: str | None = None, password: str = PASSWORD) -> dict[str, Any]:
    return {"email": email, "password": password} | ({"code": code} if code else {})


async def open_session(api: API, email: str, code: str | None = None) -> httpx.Response:
    return await api.post("/v1/sessions", json=credentials(email, code))


def code_now(secret: str) -> str:
    return code_at(secret, datetime.now(UTC))


def next_code(secret: str) -> str:
    """The code of the next step: that of this one was used."""
    return code_at(secret, datetime.now(UTC) + timedelta(seconds=STEP_SECONDS))


async def enrol(api: API, email: str) -> tuple[str, list[str]]:
    """Enrol and confirm; return the secret, whose next code is that of the next step, and the recovery codes."""
    secret: str = (await api.post(ENROL, json=credentials(email))).json()["secret"]
    confirmed = await api.post(CONFIRM, json=credentials(email, code_now(secret)))
    assert confirmed.status_code == 200, confirmed.text
    return secret, confirmed.json()["recovery_codes"]


async def test_after_enrolment_a_log_in_needs_a_code_and_each_code_works_once(api: API) -> None:
    email = await register_customer(api)
    secret, _ = await enrol(api, email)
    assert_problem(await open_session(api, email), 401, "totp_required")
    code = next_code(secret)
    assert (await open_session(api, email, code)).status_code == 201
    assert_problem(await open_session(api, email, code), 401, "wrong_code")


async def test_a_wrong_password_does_not_reveal_that_a_code_is_needed(api: API) -> None:
    email = await register_customer(api)
    secret, _ = await enrol(api, email)
    for code in (None, next_code(secret)):
        response = await api.post("/v1/sessions", json=credentials(email, code, WRONG_PASSWORD))
        assert_problem(response, 401, "wrong_credentials")


async def test_of_concurrent_log_ins_with_the_same_code_one_succeeds(api: API) -> None:
    email = await register_customer(api)
    secret, _ = await enrol(api, email)
    code = next_code(secret)
    responses = await asyncio.gather(*(open_session(api, email, code) for _ in range(3)))
    assert sorted(response.status_code for response in responses) == [201, 401, 401]


async def test_a_secret_counts_only_after_it_was_confirmed(api: API) -> None:
    email = await register_customer(api)
    assert_problem(await api.post(CONFIRM, json=credentials(email, "123456")), 409, "totp_not_enrolled")
    first, second = [(await api.post(ENROL, json=credentials(email))).json()["secret"] for _ in range(2)]
    assert (await open_session(api, email)).status_code == 201
    assert_problem(await api.post(CONFIRM, json=credentials(email, code_now(first))), 401, "wrong_code")
    assert (await api.post(CONFIRM, json=credentials(email, code_now(second)))).status_code == 200
    assert_problem(await api.post(ENROL, json=credentials(email)), 409, "totp_enrolled")


async def test_a_confirmation_ends_the_sessions_that_were_opened_without_a_code(api: API) -> None:
    email = await register_customer(api)
    session = (await log_in(api, email)).json()
    await enrol(api, email)
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    assert_problem(await api.get(ME, headers=headers), 401, "unauthenticated")
    body = {"refresh_token": session["refresh_token"]}
    assert_problem(await api.post("/v1/sessions/refresh", json=body), 401, "refresh_token_invalid")


async def test_recovery_codes_work_once_and_only_their_hashes_are_stored(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    _, codes = await enrol(api, email)
    assert len(set(codes)) == 10
    async with shared.reading() as connection:
        stored = str((await connection.execute(sa.select(totps))).all())
    assert not [code for code in codes if code in stored]
    assert (await open_session(api, email, codes[0])).status_code == 201
    assert_problem(await open_session(api, email, codes[0]), 401, "wrong_code")
    assert (await open_session(api, email, codes[1].upper())).status_code == 201


async def test_wrong_codes_are_throttled_like_wrong_passwords(api: API) -> None:
    email = await register_customer(api)
    secret, _ = await enrol(api, email)
    for _ in range(ATTEMPTS):
        assert_problem(await open_session(api, email, WRONG_CODE), 401, "wrong_code")
    assert_problem(await open_session(api, email, next_code(secret)), 429, "too_many_attempts")
    for path in (ENROL, REMOVE, CONFIRM):
        body = credentials(email) if path == ENROL else credentials(email, "123456")
        assert_problem(await api.post(path, json=body), 429, "too_many_attempts")


async def test_log_ins_without_a_code_are_no_wrong_attempts(api: API) -> None:
    email = await register_customer(api)
    await enrol(api, email)
    assert {(await open_session(api, email)).json()["code"] for _ in range(2 * ATTEMPTS)} == {"totp_required"}


async def test_one_time_codes_can_be_removed_with_one(api: API) -> None:
    email = await register_customer(api)
    secret, _ = await enrol(api, email)
    assert_problem(await api.post(REMOVE, json=credentials(email, WRONG_CODE)), 401, "wrong_code")
    wrong = credentials(email, next_code(secret), WRONG_PASSWORD)
    assert_problem(await api.post(REMOVE, json=wrong), 401, "wrong_credentials")
    assert (await api.post(REMOVE, json=credentials(email, next_code(secret)))).status_code == 204
    assert (await open_session(api, email)).status_code == 201
    assert_problem(await api.post(REMOVE, json=credentials(email, next_code(secret))), 409, "totp_not_enrolled")


async def test_ops_can_remove_the_codes_of_an_account_which_ends_its_sessions(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    _, codes = await enrol(api, email)
    session = (await open_session(api, email, codes[0])).json()
    path = f"/v1/accounts/{(await stored_account(shared, email)).id}/totp-removals"
    for role in ("customer", "staff"):
        refused = await api.post(path, json={"why": "lost"}, headers=bearer(role=role))
        assert_problem(refused, 403, "forbidden")
    ops = bearer(role="ops")
    assert (await api.post(path, json={"why": "lost the phone"}, headers=ops)).status_code == 204
    assert_problem(await api.post(path, json={"why": "lost"}, headers=ops), 409, "totp_not_enrolled")
    assert_problem(
        await api.post(
            "/v1/accounts/019b7c61-0000-7000-8000-00009395c3f3/totp-removals", json={"why": "x"}, headers=ops
        ),
        *(404, "account_not_found"),
    )
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    assert_problem(await api.get(ME, headers=headers), 401, "unauthenticated")
    assert (await open_session(api, email)).status_code == 201


@pytest.mark.parametrize("role", ["staff", "ops"])
async def test_staff_and_ops_without_codes_cannot_log_in_where_they_are_required(
    api: API, strict: API, shared: Postgres, shared_url: str, role: Any
) -> None:
    email = new_email()
    await new_staff(shared_url, email, role)
    earlier = (await log_in(api, email)).json()["refresh_token"]
    assert_problem(await open_session(strict, email), 403, "totp_enrolment_required")
    refreshed = await strict.post("/v1/sessions/refresh", json={"refresh_token": earlier})
    assert_problem(refreshed, 401, "refresh_token_invalid")
    secret, _ = await enrol(strict, email)
    session = (await open_session(strict, email, next_code(secret))).json()
    assert (await strict.post("/v1/sessions/refresh", json={"refresh_token": session["refresh_token"]})).is_success


async def test_customers_need_no_codes_where_staff_do(strict: API) -> None:
    assert (await log_in(strict, await register_customer(strict))).status_code == 201


async def test_an_unknown_address_is_refused_like_a_wrong_password(api: API, shared: Postgres) -> None:
    for path, code in ((ENROL, None), (CONFIRM, "123456"), (REMOVE, "123456")):
        assert_problem(await api.post(path, json=credentials(new_email(), code)), 401, "wrong_credentials")
    async with shared.reading() as connection:
        await connection.execute(sa.delete(throttles))


@pytest.mark.parametrize("code", ["", "12345", "x" * 41, 123456])
async def test_a_malformed_code_is_refused(api: API, code: Any) -> None:
    for path in ("/v1/sessions", CONFIRM, REMOVE):
        body = {"email": new_email(), "password": PASSWORD, "code": code}
        assert malformed_fields(await api.post(path, json=body)) == {"body/code"}
