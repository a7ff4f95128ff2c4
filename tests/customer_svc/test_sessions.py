"""Logging in, staying so and logging out, over REST."""

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
from customer_svc.store import refresh_tokens, sessions
from tests.answers import refused
from tests.customer_svc.people import API, account, log_in, logged_in, new_email, registered, registration


async def test_a_customer_logs_in_and_reads_the_account(api: API, shared: Postgres) -> None:
    email = await registered(api)
    session = await log_in(api, email)
    assert session.status_code == 201
    assert session.json() == {
        "access_token": session.json()["access_token"],
        "token_type": "Bearer",
        "expires_in": 900,
        "refresh_token": session.json()["refresh_token"],
        "refresh_expires_in": 30 * 86_400,
    }
    me = (await api.get("/v1/customers/me", headers=await logged_in(api, email))).json()
    assert me == {
        "id": str((await account(shared, email)).id),
        "email": email,
        "name": "Ada Lovelace",
        "role": "customer",
        "state": "active",
        "verified": False,
        "phone": None,
        "locale": "en",
        "marketing": False,
        "order_updates": True,
    }


async def test_a_token_says_what_it_must_and_checks_with_the_published_keys(api: API, shared: Postgres) -> None:
    email = await registered(api)
    token = (await log_in(api, email)).json()["access_token"]
    published = (await api.get("/.well-known/jwks.json")).json()
    assert [key.keys() & {"d", "k", "p", "q"} for key in published["keys"]] == [set()]
    decoded = jwt.decode(token, KeySet.import_key_set(published), algorithms=["Ed25519"])
    assert decoded.header["alg"] == "Ed25519"
    claims = decoded.claims
    subject = str((await account(shared, email)).id)
    assert (claims["iss"], claims["aud"], claims["sub"]) == ("shopstream", "shopstream", subject)
    assert claims["role"] == "customer"
    assert claims["exp"] - claims["iat"] == 900
    assert abs(claims["iat"] - time.time()) < 60


@pytest.mark.parametrize("spelling", [str.upper, str.title, lambda email: f" {email} "])
async def test_an_address_is_the_same_however_it_is_spelled(api: API, spelling: Any) -> None:
    email = await registered(api)
    assert (await log_in(api, spelling(email))).status_code == 201


async def test_an_address_typed_with_combining_accents_can_log_in(api: API) -> None:
    email = f"jose\u0301-{uuid7()}@example.com"
    assert (await api.post("/v1/customers", json=registration(email))).status_code == 202
    assert (await log_in(api, email)).status_code == 201
    assert (await log_in(api, email.replace("e\u0301", "\u00e9"))).status_code == 201


async def test_wrong_password_and_unknown_address_are_answered_alike(api: API) -> None:
    wrong = refused(await log_in(api, await registered(api), "wrong horse battery"), 401, "wrong_credentials")
    unknown = refused(await log_in(api, new_email()), 401, "wrong_credentials")
    assert wrong | {"request_id": ""} == unknown | {"request_id": ""}


@pytest.mark.parametrize(
    "email", ["no address", "", "\x00", "' OR 1=1 --", "a" * 254, f"a@{'b' * 250}", "x@", "ä@ö.ü"]
)
async def test_what_can_be_no_address_is_nobodys(api: API, email: str) -> None:
    answer = await log_in(api, email)
    assert (answer.status_code, answer.json()["code"]) in {(401, "wrong_credentials"), (422, "malformed_request")}


async def test_a_password_may_hold_anything_and_every_character_of_it_counts(api: API) -> None:
    for password in ("пароль-пароль", "🔐" * 200, " " * 10, "nul\x00nul\x00nul", "x" * 200):
        email = await registered(api, password=password)
        assert (await log_in(api, email, password)).status_code == 201
        refused(await log_in(api, email, password[:-1]), 401, "wrong_credentials")


async def test_a_token_of_an_account_that_is_gone_finds_nothing(api: API) -> None:
    refused(await api.get("/v1/customers/me", headers=bearer()), 404, "not_found")


async def session(api: API) -> dict[str, Any]:
    """Of a new customer."""
    tokens: dict[str, Any] = (await log_in(api, await registered(api))).json()
    return tokens


async def refresh(api: API, token: str) -> httpx.Response:
    return await api.post("/v1/sessions/refresh", json={"refresh_token": token})


async def test_a_refresh_token_brings_the_next_and_an_access_token(api: API) -> None:
    first = await session(api)
    answer = await refresh(api, first["refresh_token"])
    assert answer.status_code == 200
    second = answer.json()
    assert second["refresh_token"] != first["refresh_token"]
    assert 0 < second["refresh_expires_in"] <= first["refresh_expires_in"]
    who = {"Authorization": f"Bearer {second['access_token']}"}
    assert (await api.get("/v1/customers/me", headers=who)).status_code == 200
    assert (await refresh(api, second["refresh_token"])).status_code == 200


async def test_a_refresh_token_that_comes_again_ends_the_session_for_both(api: API) -> None:
    first = (await session(api))["refresh_token"]
    second = (await refresh(api, first)).json()["refresh_token"]
    refused(await refresh(api, first), 401, "refresh_refused")
    refused(await refresh(api, second), 401, "refresh_refused")


async def test_a_stolen_token_does_not_end_other_sessions(api: API) -> None:
    email = await registered(api)
    here, there = [(await log_in(api, email)).json()["refresh_token"] for _ in range(2)]
    await refresh(api, here)
    refused(await refresh(api, here), 401, "refresh_refused")
    assert (await refresh(api, there)).status_code == 200


async def test_of_refreshes_at_once_one_succeeds_and_the_session_ends(api: API) -> None:
    token = (await session(api))["refresh_token"]
    answers = await asyncio.gather(*(refresh(api, token) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 4
    [next_] = [answer.json()["refresh_token"] for answer in answers if answer.status_code == 200]
    refused(await refresh(api, next_), 401, "refresh_refused")


@pytest.mark.parametrize("used", [False, True])
async def test_a_session_that_was_logged_out_is_not_refreshed(api: API, used: bool) -> None:
    token = (await session(api))["refresh_token"]
    newest = (await refresh(api, token)).json()["refresh_token"] if used else token
    for _ in range(2):
        assert (await api.post("/v1/sessions/logout", json={"refresh_token": token})).status_code == 204
    refused(await refresh(api, newest), 401, "refresh_refused")


async def test_to_log_out_of_nothing_is_no_error(api: API) -> None:
    assert (await api.post("/v1/sessions/logout", json={"refresh_token": "x"})).status_code == 204


async def test_a_session_ends_by_itself(api: API, shared: Postgres) -> None:
    email = await registered(api)
    token = (await log_in(api, email)).json()["refresh_token"]
    mine = sessions.c.account_id == (await account(shared, email)).id
    async with shared.reading() as connection:
        past = sa.func.now() - timedelta(seconds=1)
        await connection.execute(sa.update(sessions).where(mine).values(ends_at=past))
    refused(await refresh(api, token), 401, "refresh_refused")


async def test_no_table_holds_a_refresh_token(api: API, shared: Postgres) -> None:
    token = (await session(api))["refresh_token"]
    async with shared.reading() as connection:
        kept = str((await connection.execute(sa.select(refresh_tokens))).all())
    assert token not in kept
