"""The REST API of customer_svc: what it answers to requests as they should be."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from uuid_utils.compat import uuid7

from chassis.sql import Postgres
from chassis.testing import bearer
from customer_svc.main import build
from schemas import CustomerRegistered
from tests.answers import malformed_at, refused, watched
from tests.customer_svc.conftest import settings
from tests.outbox import events

API = httpx.AsyncClient
PASSWORD = "correct horse battery"


def new_email() -> str:
    return f"ada-{uuid7()}@example.com"


def registration(email: str, **changes: Any) -> dict[str, Any]:
    return {"email": email, "password": PASSWORD, "name": "Ada Lovelace"} | changes


async def registered(api: API, email: str, **changes: Any) -> dict[str, Any]:
    answer = await api.post("/v1/customers", json=registration(email, **changes))
    assert answer.status_code == 201, answer.text
    account: dict[str, Any] = answer.json()
    return account


async def log_in(api: API, email: str, password: str = PASSWORD) -> httpx.Response:
    return await api.post("/v1/sessions", json={"email": email, "password": password})


async def test_a_customer_registers_and_is_told_of(api: API, shared: Postgres) -> None:
    email = new_email()
    answer = await api.post("/v1/customers", json=registration(email))
    assert answer.status_code == 201
    assert answer.headers["location"] == "/v1/customers/me"
    account = answer.json()
    assert account == {"id": account["id"], "email": email, "name": "Ada Lovelace", "role": "customer"}
    [event] = await events(shared, account["id"])
    assert event == CustomerRegistered.model_validate_json(
        f'{{"customer_id": "{account["id"]}", "email": "{email}", "name": "Ada Lovelace"}}'
    )


async def test_a_customer_logs_in_and_reads_the_account(api: API) -> None:
    account = await registered(api, new_email())
    session = await log_in(api, account["email"])
    assert session.status_code == 201
    assert session.json() == {
        "access_token": session.json()["access_token"],
        "token_type": "Bearer",
        "expires_in": 900,
    }
    token = {"Authorization": f"Bearer {session.json()['access_token']}"}
    assert (await api.get("/v1/customers/me", headers=token)).json() == account


async def test_a_token_says_what_it_must_and_checks_with_the_published_keys(api: API) -> None:
    account = await registered(api, new_email())
    token = (await log_in(api, account["email"])).json()["access_token"]
    published = (await api.get("/.well-known/jwks.json")).json()
    assert [key.keys() & {"d", "k", "p", "q"} for key in published["keys"]] == [set()]
    decoded = jwt.decode(token, KeySet.import_key_set(published), algorithms=["Ed25519"])
    assert decoded.header["alg"] == "Ed25519"
    claims = decoded.claims
    assert (claims["iss"], claims["aud"], claims["sub"]) == ("shopstream", "shopstream", account["id"])
    assert claims["role"] == "customer"
    assert claims["exp"] - claims["iat"] == 900
    assert abs(claims["iat"] - time.time()) < 60


@pytest.mark.parametrize("spelling", [str.upper, str.title, lambda email: f" {email} "])
async def test_an_address_is_the_same_however_it_is_spelled(api: API, spelling: Any) -> None:
    email = new_email()
    await registered(api, email)
    assert (await log_in(api, spelling(email))).status_code == 201
    refused(await api.post("/v1/customers", json=registration(spelling(email).strip())), 409, "email_taken")


async def test_an_address_typed_with_combining_accents_can_log_in(api: API) -> None:
    local = f"jose\u0301-{uuid7()}"
    await registered(api, f"{local}@example.com")
    assert (await log_in(api, f"{local}@example.com")).status_code == 201
    assert (await log_in(api, f"{local}@example.com".replace("e\u0301", "\u00e9"))).status_code == 201


async def test_wrong_password_and_unknown_address_are_answered_alike(api: API) -> None:
    account = await registered(api, new_email())
    wrong = refused(await log_in(api, account["email"], "wrong horse battery"), 401, "wrong_credentials")
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
        account = await registered(api, new_email(), password=password)
        assert (await log_in(api, account["email"], password)).status_code == 201
        refused(await log_in(api, account["email"], password[:-1]), 401, "wrong_credentials")


@pytest.mark.parametrize("password", ["", "x" * 9, "x" * 201])
async def test_a_password_has_ten_to_two_hundred_characters(api: API, password: str) -> None:
    answer = await api.post("/v1/customers", json=registration(new_email(), password=password))
    assert malformed_at(answer) == {"body/password"}
    assert password == "" or password not in answer.text


@pytest.mark.parametrize(
    "name", ["A", "李小龍", "<script>alert(1)</script>", "Robert'); DROP TABLE accounts;--", "é" * 200]
)
async def test_a_name_is_kept_as_it_is(api: API, name: str) -> None:
    assert (await registered(api, new_email(), name=name))["name"] == name


async def test_an_address_raced_for_through_two_processes_has_one_account(
    api: API, shared: Postgres, shared_url: str, key_file: Path
) -> None:
    email = new_email()
    async with watched(build(settings(shared_url, key_file))) as other:
        tries = [one.post("/v1/customers", json=registration(email)) for _ in range(4) for one in (api, other)]
        answers = await asyncio.gather(*tries)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    told = [e for e in await events(shared) if isinstance(e, CustomerRegistered) and e.email == email]
    assert len(told) == 1


async def test_a_token_of_an_account_that_is_gone_finds_nothing(api: API) -> None:
    refused(await api.get("/v1/customers/me", headers=bearer()), 404, "not_found")
