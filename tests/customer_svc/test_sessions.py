"""Logging in over REST."""

import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from uuid_utils.compat import uuid7

from chassis.sql import Postgres
from chassis.testing import bearer
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
    }
    me = (await api.get("/v1/customers/me", headers=await logged_in(api, email))).json()
    assert me == {
        "id": str((await account(shared, email)).id),
        "email": email,
        "name": "Ada Lovelace",
        "role": "customer",
        "verified": False,
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
