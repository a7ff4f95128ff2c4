"""Changing a password and resetting a forgotten one, over REST."""

import asyncio
import time
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from customer_svc.accounts import response_timing
from customer_svc.accounts.store import accounts
from customer_svc.passwords.hasher import PasswordHasher
from schemas import Event, PasswordChanged, PasswordResetRequested, VerificationRequested
from tests.customer_svc.factories import (
    API,
    PASSWORD,
    WRONG_PASSWORD,
    log_in,
    log_in_headers,
    mailed_token,
    new_email,
    new_staff,
    published_events,
    register,
    register_customer,
    registration_body,
    stored_account,
)
from tests.responses import assert_problem, malformed_fields

CHANGES, MAILS, RESETS = "/v1/customers/me/password-changes", "/v1/password-reset-mails", "/v1/password-resets"
OTHER = "another horse, another battery"


async def change(api: API, headers: dict[str, str], current: str = PASSWORD, new: str = OTHER) -> httpx.Response:
    return await api.post(CHANGES, json={"current_password": current, "new_password": new}, headers=headers)


async def request_reset(api: API, email: str) -> None:
    assert (await api.post(MAILS, json={"email": email})).status_code == 202


async def reset(api: API, token: str, password: str = OTHER) -> httpx.Response:
    return await api.post(RESETS, json={"token": token, "new_password": password})


async def mailed_tokens(database: Postgres, email: str) -> list[str]:
    requested = [
        event for event in await published_events(database, email) if isinstance(event, PasswordResetRequested)
    ]
    return [mailed_token(event.reset, "reset") for event in requested]


async def let_an_hour_pass(database: Postgres, email: str) -> None:
    old = accounts.c.reset_requested_at - timedelta(hours=1)
    async with database.reading() as connection:
        await connection.execute(sa.update(accounts).where(accounts.c.email == email).values(reset_requested_at=old))


async def last_event(database: Postgres, email: str) -> Event:
    return (await published_events(database, email))[-1]


async def test_a_changed_password_replaces_the_old_one_and_is_published(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    assert (await change(api, await log_in_headers(api, email))).status_code == 204
    assert_problem(await log_in(api, email), 401, "wrong_credentials")
    assert (await log_in(api, email, OTHER)).status_code == 201
    account = await stored_account(shared, email)
    assert await last_event(shared, email) == PasswordChanged(customer_id=account.id, how="changed")
    assert account.version == 2


async def test_a_changed_password_ends_every_session(api: API) -> None:
    email = await register_customer(api)
    tokens = [(await log_in(api, email)).json()["refresh_token"] for _ in range(2)]
    await change(api, await log_in_headers(api, email))
    for token in tokens:
        response = await api.post("/v1/sessions/refresh", json={"refresh_token": token})
        assert_problem(response, 401, "refresh_token_invalid")


async def test_a_password_is_not_changed_without_the_current_one(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    assert_problem(await change(api, await log_in_headers(api, email), current=OTHER), 403, "wrong_password")
    assert (await log_in(api, email)).status_code == 201
    assert len(await published_events(shared, email)) == 1


async def test_of_concurrent_changes_one_succeeds(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    headers = await log_in_headers(api, email)
    responses = await asyncio.gather(*(change(api, headers, new=f"{OTHER} {n}") for n in range(4)))
    assert sorted(response.status_code for response in responses) == [204] + [403] * 3
    assert (await stored_account(shared, email)).version == 2


async def test_only_an_existing_account_can_change_its_password(api: API) -> None:
    assert_problem(await change(api, {}), 401, "unauthenticated")
    assert_problem(await change(api, bearer()), 404, "not_found")


async def test_a_password_change_of_staff_is_not_published(api: API, shared: Postgres, shared_url: str) -> None:
    email = new_email()
    await new_staff(shared_url, email)
    assert (await change(api, await log_in_headers(api, email))).status_code == 204
    assert (await log_in(api, email, OTHER)).status_code == 201
    assert await published_events(shared, email) == []


async def test_a_forgotten_password_is_reset_once_with_the_link_of_the_mail(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    await request_reset(api, email)
    [token] = await mailed_tokens(shared, email)
    assert (await reset(api, token)).status_code == 204
    assert (await log_in(api, email, OTHER)).status_code == 201
    assert_problem(await log_in(api, email), 401, "wrong_credentials")
    account = await stored_account(shared, email)
    assert await last_event(shared, email) == PasswordChanged(customer_id=account.id, how="reset")
    assert_problem(await reset(api, token, "yet another horse"), 409, "link_invalid")


async def test_of_concurrent_uses_of_a_link_one_succeeds(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    await request_reset(api, email)
    [token] = await mailed_tokens(shared, email)
    responses = await asyncio.gather(*(reset(api, token, f"{OTHER} {n}") for n in range(3)))
    assert sorted(response.status_code for response in responses) == [204, 409, 409]


async def test_a_reset_ends_every_session_and_invalidates_every_other_link(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    session = (await log_in(api, email)).json()["refresh_token"]
    await request_reset(api, email)
    await let_an_hour_pass(shared, email)
    await request_reset(api, email)
    first, second = await mailed_tokens(shared, email)
    assert (await reset(api, first)).status_code == 204
    assert_problem(await reset(api, second), 409, "link_invalid")
    assert_problem(
        await api.post("/v1/sessions/refresh", json={"refresh_token": session}), 401, "refresh_token_invalid"
    )


async def test_a_verification_link_cannot_reset_a_password(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    [event] = await published_events(shared, email)
    assert_problem(await reset(api, mailed_token(getattr(event, "verify", None), "verify")), 409, "link_invalid")


async def test_a_reset_mail_is_sent_once_a_minute_however_often_it_is_requested(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    for _ in range(3):
        await request_reset(api, email)
    assert len(await mailed_tokens(shared, email)) == 1


async def test_a_repeated_registration_does_not_delay_a_reset_mail(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    await api.post("/v1/customers", json=registration_body(email))
    await request_reset(api, email)
    assert len(await mailed_tokens(shared, email)) == 1


async def test_a_reset_request_for_an_unknown_or_staff_account_has_the_same_response(
    api: API, shared: Postgres, shared_url: str
) -> None:
    staff, customer = new_email(), await register_customer(api)
    await new_staff(shared_url, staff)
    responses = [await api.post(MAILS, json={"email": email}) for email in (customer, new_email(), staff)]
    assert {(response.status_code, response.text) for response in responses} == {(202, "")}
    assert await published_events(shared, staff) == []


async def test_a_response_to_a_reset_request_takes_a_minimum_time(api: API, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_timing, "MIN_SECONDS", 0.2)
    for email in (await register_customer(api), new_email()):
        began = time.monotonic()
        await request_reset(api, email)
        assert time.monotonic() - began >= 0.2


async def test_reset_requests_for_one_email_address_are_limited(api: API) -> None:
    known, unknown = await register_customer(api), new_email()
    for email in (known, unknown):
        responses = [await api.post(MAILS, json={"email": email}) for _ in range(11)]
        assert [response.status_code for response in responses] == [202] * 10 + [429]
        assert_problem(responses[-1], 429, "too_many_attempts")


@pytest.mark.parametrize("password", ["", "x" * 11, "x" * 201])
async def test_a_new_password_has_twelve_to_two_hundred_characters(api: API, password: str) -> None:
    headers = await log_in_headers(api, await register_customer(api))
    assert malformed_fields(await change(api, headers, new=password)) == {"body/new_password"}
    assert malformed_fields(await reset(api, "x", password)) == {"body/new_password"}


async def test_no_log_line_contains_a_secret(api: API, shared: Postgres) -> None:
    with capture_logs() as lines:
        email = await register_customer(api)
        session = (await log_in(api, email)).json()
        await log_in(api, email, WRONG_PASSWORD)
        await request_reset(api, email)
        [token] = await mailed_tokens(shared, email)
        await reset(api, token)
        await api.post("/v1/sessions/refresh", json={"refresh_token": session["refresh_token"]})
    assert lines
    logged = str(lines)
    secrets = (PASSWORD, OTHER, WRONG_PASSWORD, token, session["refresh_token"], session["access_token"])
    assert [secret for secret in secrets if secret in logged] == []


async def test_a_reset_of_an_unverified_account_mails_the_link_that_verifies_it_once_an_hour(
    api: API, shared: Postgres
) -> None:
    email = await register(api)
    await request_reset(api, email)
    assert len(await published_events(shared, email)) == 1, "the mail of the registration is from this hour"
    await verification_requested_an_hour_ago(shared, email)
    for _ in range(2):
        await request_reset(api, email)
    [_, requested] = await published_events(shared, email)
    assert isinstance(requested, VerificationRequested)
    token = mailed_token(requested.verify, "verify")
    assert_problem(await api.post("/v1/email-verifications", json={"token": token}), 409, "registration_contested")
    proof = {"token": token, "owner": {"name": "Ada", "password": OTHER}}
    assert (await api.post("/v1/email-verifications", json=proof)).status_code == 204
    assert (await log_in(api, email, OTHER)).status_code == 201


async def verification_requested_an_hour_ago(database: Postgres, email: str) -> None:
    old = accounts.c.verification_requested_at - timedelta(hours=1)
    mine = accounts.c.email == email
    async with database.reading() as connection:
        await connection.execute(sa.update(accounts).where(mine).values(verification_requested_at=old))


async def test_a_link_that_does_not_fit_costs_no_hash(
    api: API, shared: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = await register_customer(api)
    await request_reset(api, email)
    [event, requested] = await published_events(shared, email)
    spent, other = mailed_token(getattr(requested, "reset", None), "reset"), getattr(event, "verify", None)
    assert (await reset(api, spent)).status_code == 204
    hashed: list[str] = []

    async def recorded(_self: PasswordHasher, password: str) -> str:
        hashed.append(password)
        return "no hash"

    monkeypatch.setattr(PasswordHasher, "hash_for_link", recorded)
    for token in (spent, mailed_token(other, "verify"), "x"):
        assert_problem(await reset(api, token), 409, "link_invalid")
    await let_an_hour_pass(shared, email)
    await request_reset(api, email)
    stale = (await mailed_tokens(shared, email))[-1]
    await change(api, await log_in_headers(api, email, OTHER), OTHER, PASSWORD)
    assert_problem(await reset(api, stale), 409, "link_invalid")
    assert hashed == []


async def test_a_password_is_the_same_however_it_is_typed(api: API) -> None:
    composed, decomposed = "caf\u00e9 au lait\u3000\u00e0 la carte", "cafe\u0301 au lait\u00a0a\u0300 la carte"
    email = await register_customer(api, password=composed)
    assert (await log_in(api, email, decomposed)).status_code == 201
    changed = await change(api, await log_in_headers(api, email, composed), decomposed, f"{decomposed}!")
    assert changed.status_code == 204
    assert (await log_in(api, email, f"{composed}!")).status_code == 201


async def test_a_password_counts_as_many_characters_as_its_normalised_form(api: API) -> None:
    short, long = "e\u0301" * 11, "e\u0301" * 200
    for password, status in ((short, 422), (long, 202), (f"{long}e", 422), ("control \x07 character", 422)):
        response = await api.post("/v1/customers", json=registration_body(new_email(), password=password))
        assert response.status_code == status, password
