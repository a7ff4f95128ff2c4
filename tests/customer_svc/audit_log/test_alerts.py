"""Attacks raise the alerts that are meant for them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from uuid_utils.compat import uuid7

from chassis.runtime import security_log
from chassis.testing import bearer
from customer_svc.main import build
from customer_svc.totp.domain import code_at
from tests.alerting import Scrape, fired, scrape
from tests.customer_svc.factories import (
    API,
    PASSWORD,
    WRONG_PASSWORD,
    log_in,
    new_email,
    register_customer,
    settings,
)
from tests.responses import assert_problem

TRIES = 8


@pytest.fixture(scope="module")
def app(shared_url: str, key_file: Path) -> FastAPI:
    # All of them come from the same network address.
    many = {"login_tries_per_account": TRIES, "login_tries_per_address": 1_000_000}
    return build(settings(shared_url, key_file, **many))


@pytest.fixture(autouse=True)
def unlimited(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = security_log.LineLimit(1_000_000, 1_000_000)
    monkeypatch.setattr(app.state.container.audit_log, "_limit", limit)


def metrics() -> Scrape:
    return scrape("customer_svc")


async def test_a_surge_of_refused_log_ins_is_alerted(api: API) -> None:
    before = metrics()
    for n in range(201):
        await log_in(api, f"nobody-{n}@example.com", WRONG_PASSWORD)
        if n == 199:
            assert fired("RefusedLogInsSurge", before, metrics()) == []
    assert fired("RefusedLogInsSurge", before, metrics()) == [{}]


async def test_attempts_at_accounts_that_are_locked_out_are_alerted(api: API) -> None:
    email, before = await register_customer(api), metrics()
    answers = [(await log_in(api, email, WRONG_PASSWORD)).status_code for _ in range(TRIES + 21)]
    assert answers == [401] * TRIES + [429] * 21
    assert fired("AccountsLockedOut", before, metrics()) == [{}]


async def test_wrong_one_time_codes_are_alerted(api: API) -> None:
    email = await register_customer(api)
    who = {"email": email, "password": PASSWORD}
    secret = (await api.post("/v1/totp/enrolments", json=who)).json()["secret"]
    code = code_at(secret, datetime.now(UTC))
    assert (await api.post("/v1/totp/confirmations", json=who | {"code": code})).status_code == 200
    before = metrics()
    for _ in range(6):
        assert_problem(await api.post("/v1/sessions", json=who | {"code": "no code"}), 401, "wrong_code")
    assert fired("WrongOneTimeCodes", before, metrics()) == [{}]


async def test_a_refresh_token_that_comes_again_is_alerted(api: API) -> None:
    session = (await log_in(api, await register_customer(api))).json()
    before = metrics()
    for _ in range(2):
        await api.post("/v1/sessions/refresh", json={"refresh_token": session["refresh_token"]})
    assert fired("RefreshTokenReused", before, metrics()) == [{}]


async def test_requests_for_what_a_role_does_not_allow_are_alerted(api: API) -> None:
    customer, before = bearer(uuid7(), "customer"), metrics()
    for n in range(21):
        path = f"/v1/customers/{uuid7()}" if n % 2 else "/v1/audit-log"
        assert_problem(await api.get(path, headers=customer), 403, "forbidden")
    assert fired("RolesExceeded", before, metrics()) == [{}]


async def test_a_flood_of_refusals_is_alerted(api: API, app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.state.container.audit_log, "_limit", security_log.LineLimit(2, 2))
    before = metrics()
    for _ in range(3):
        await log_in(api, new_email(), WRONG_PASSWORD)
    assert fired("SecurityLogFlooded", before, metrics()) == [{}]
