"""Logging in, refreshing a session and logging out, over REST."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from joserfc import jwt
from joserfc.jwk import KeySet
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from customer_svc.accounts.store import accounts
from customer_svc.sessions.store import refresh_tokens, sessions
from tests.customer_svc.factories import (
    API,
    WRONG_PASSWORD,
    log_in,
    log_in_headers,
    new_email,
    register,
    register_customer,
    stored_account,
    verify_silently,
)
from tests.responses import assert_problem


async def test_a_customer_can_log_in_and_read_the_account(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    session = await log_in(api, email)
    assert session.status_code == 201
    assert session.json() == {
        "access_token": session.json()["access_token"],
        "token_type": "Bearer",
        "expires_in": 900,
        "refresh_token": session.json()["refresh_token"],
        "refresh_expires_in": 30 * 86_400,
    }
    me = (await api.get("/v1/customers/me", headers=await log_in_headers(api, email))).json()
    assert me == {
        "id": str((await stored_account(shared, email)).id),
        "email": email,
        "name": "Ada Lovelace",
        "role": "customer",
        "state": "active",
        "verified": True,
        "phone": None,
        "locale": "en",
        "time_zone": None,
        "marketing": False,
        "order_updates": True,
    }


async def test_an_access_token_has_all_claims_and_can_be_verified_with_the_published_keys(
    api: API, shared: Postgres
) -> None:
    email = await register_customer(api)
    token = (await log_in(api, email)).json()["access_token"]
    published = (await api.get("/.well-known/jwks.json")).json()
    assert [key.keys() & {"d", "k", "p", "q"} for key in published["keys"]] == [set()]
    decoded = jwt.decode(token, KeySet.import_key_set(published), algorithms=["Ed25519"])
    assert decoded.header["alg"] == "Ed25519"
    claims = decoded.claims
    subject = str((await stored_account(shared, email)).id)
    assert (claims["iss"], claims["sub"]) == ("shopstream", subject)
    assert claims["aud"] == ["customer_svc", "product_svc", "order_svc", "notifier_svc"]
    assert (claims["role"], claims["verified"]) == ("customer", True)
    assert claims["exp"] - claims["iat"] == 900
    assert abs(claims["iat"] - time.time()) < 60


@pytest.mark.parametrize("spelling", [str.upper, str.title, lambda email: f" {email} "])
async def test_a_customer_can_log_in_with_any_spelling_of_the_email_address(api: API, spelling: Any) -> None:
    email = await register_customer(api)
    assert (await log_in(api, spelling(email))).status_code == 201


SPELLINGS = [
    "{}@xn--mnchen-3ya.de",
    "{}@m\u00fcnchen.de",
    "{}@mu\u0308nchen.de",
    "{}@XN--Mnchen-3YA.DE",
    "{}@M\u00dcNCHEN.de",
]


@pytest.mark.parametrize("registered", SPELLINGS)
async def test_a_domain_has_the_same_account_in_every_spelling(api: API, shared: Postgres, registered: str) -> None:
    mailbox = f"u-{uuid7()}"
    await register_customer(api, email=registered.format(mailbox))
    for spelling in SPELLINGS:
        assert (await log_in(api, spelling.format(mailbox))).status_code == 201, spelling
        assert (await register(api, spelling.format(mailbox))).startswith(mailbox)
    assert (await stored_account(shared, registered.format(mailbox))).email == f"{mailbox}@m\u00fcnchen.de"


async def test_a_customer_can_log_in_with_combining_or_precomposed_accents(api: API, shared: Postgres) -> None:
    email = f"jose\u0301-{uuid7()}@example.com"
    await register(api, email)
    await verify_silently(shared, email)
    assert (await log_in(api, email)).status_code == 201
    assert (await log_in(api, email.replace("e\u0301", "\u00e9"))).status_code == 201


async def test_the_right_password_of_an_unverified_account_has_the_response_of_an_unknown_address(api: API) -> None:
    unverified = assert_problem(await log_in(api, await register(api)), 401, "wrong_credentials")
    unknown = assert_problem(await log_in(api, new_email()), 401, "wrong_credentials")
    assert unverified | {"request_id": ""} == unknown | {"request_id": ""}


async def test_a_session_of_an_unverified_account_from_earlier_days_cannot_be_refreshed(
    api: API, shared: Postgres
) -> None:
    email = await register_customer(api)
    token = (await log_in(api, email)).json()["refresh_token"]
    async with shared.reading() as connection:
        await connection.execute(sa.update(accounts).where(accounts.c.email == email).values(verified_at=None))
    assert_problem(await refresh(api, token), 401, "refresh_token_invalid")


async def test_a_wrong_password_and_an_unknown_email_address_have_the_same_response(api: API) -> None:
    wrong = assert_problem(await log_in(api, await register_customer(api), WRONG_PASSWORD), 401, "wrong_credentials")
    unknown = assert_problem(await log_in(api, new_email()), 401, "wrong_credentials")
    assert wrong | {"request_id": ""} == unknown | {"request_id": ""}


@pytest.mark.parametrize(
    "email", ["no address", "", "\x00", "' OR 1=1 --", "a" * 254, f"a@{'b' * 250}", "x@", "ä@ö.ü"]
)
async def test_a_log_in_with_an_invalid_email_address_fails(api: API, email: str) -> None:
    response = await log_in(api, email)
    assert (response.status_code, response.json()["code"]) in {(401, "wrong_credentials"), (422, "malformed_request")}


async def test_a_password_can_contain_any_printable_character_and_every_character_counts(api: API) -> None:
    for password in ("пароль-пароль", "🔐" * 200, " " * 12, "x" * 200):
        email = await register_customer(api, password=password)
        assert (await log_in(api, email, password)).status_code == 201
        assert_problem(await log_in(api, email, password[:-1]), 401, "wrong_credentials")


async def test_the_token_of_a_deleted_account_finds_nothing(api: API) -> None:
    assert_problem(await api.get("/v1/customers/me", headers=bearer()), 404, "not_found")


async def new_session(api: API) -> dict[str, Any]:
    """Log in a new customer."""
    tokens: dict[str, Any] = (await log_in(api, await register_customer(api))).json()
    return tokens


async def refresh(api: API, token: str) -> httpx.Response:
    return await api.post("/v1/sessions/refresh", json={"refresh_token": token})


async def test_a_refresh_token_is_exchanged_for_the_next_and_an_access_token(api: API) -> None:
    first = await new_session(api)
    response = await refresh(api, first["refresh_token"])
    assert response.status_code == 200
    second = response.json()
    assert second["refresh_token"] != first["refresh_token"]
    assert 0 < second["refresh_expires_in"] <= first["refresh_expires_in"]
    headers = {"Authorization": f"Bearer {second['access_token']}"}
    assert (await api.get("/v1/customers/me", headers=headers)).status_code == 200
    assert (await refresh(api, second["refresh_token"])).status_code == 200


async def test_a_refresh_token_that_is_used_again_ends_the_session_for_both_clients(api: API) -> None:
    first = (await new_session(api))["refresh_token"]
    second = (await refresh(api, first)).json()["refresh_token"]
    assert_problem(await refresh(api, first), 401, "refresh_token_invalid")
    assert_problem(await refresh(api, second), 401, "refresh_token_invalid")


async def test_a_stolen_token_does_not_end_other_sessions(api: API) -> None:
    email = await register_customer(api)
    here, there = [(await log_in(api, email)).json()["refresh_token"] for _ in range(2)]
    await refresh(api, here)
    assert_problem(await refresh(api, here), 401, "refresh_token_invalid")
    assert (await refresh(api, there)).status_code == 200


async def test_of_concurrent_refreshes_one_succeeds_and_the_session_ends(api: API) -> None:
    token = (await new_session(api))["refresh_token"]
    responses = await asyncio.gather(*(refresh(api, token) for _ in range(5)))
    assert sorted(response.status_code for response in responses) == [200] + [401] * 4
    [next_] = [response.json()["refresh_token"] for response in responses if response.status_code == 200]
    assert_problem(await refresh(api, next_), 401, "refresh_token_invalid")


@pytest.mark.parametrize("used", [False, True])
async def test_a_session_cannot_be_refreshed_after_a_log_out(api: API, used: bool) -> None:
    token = (await new_session(api))["refresh_token"]
    newest = (await refresh(api, token)).json()["refresh_token"] if used else token
    for _ in range(2):
        assert (await api.post("/v1/sessions/logout", json={"refresh_token": token})).status_code == 204
    assert_problem(await refresh(api, newest), 401, "refresh_token_invalid")


async def test_a_log_out_with_an_unknown_token_succeeds(api: API) -> None:
    assert (await api.post("/v1/sessions/logout", json={"refresh_token": "x"})).status_code == 204


async def test_a_session_cannot_be_refreshed_after_it_has_expired(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    token = (await log_in(api, email)).json()["refresh_token"]
    its_rows = sessions.c.account_id == (await stored_account(shared, email)).id
    async with shared.reading() as connection:
        past = sa.func.now() - timedelta(seconds=1)
        await connection.execute(sa.update(sessions).where(its_rows).values(ends_at=past))
    assert_problem(await refresh(api, token), 401, "refresh_token_invalid")


async def test_no_table_contains_a_refresh_token(api: API, shared: Postgres) -> None:
    token = (await new_session(api))["refresh_token"]
    async with shared.reading() as connection:
        stored = str((await connection.execute(sa.select(refresh_tokens))).all())
    assert token not in stored
