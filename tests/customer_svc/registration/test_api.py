"""Registering and verifying an e-mail address over REST."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from customer_svc.accounts import response_timing
from customer_svc.accounts.store import accounts
from customer_svc.links.store import links
from customer_svc.main import build
from customer_svc.passwords.hasher import PasswordHasher
from customer_svc.unit_of_work import CustomerUnitOfWork
from schemas import CustomerRegistered, CustomerVerified, RegistrationRepeated, VerificationRequested
from tests.customer_svc.factories import (
    API,
    log_in,
    log_in_headers,
    mailed_token,
    new_customer,
    new_email,
    published_events,
    register_customer,
    registration_body,
    settings,
    stored_account,
)
from tests.outbox import events
from tests.responses import assert_problem, checked_client, malformed_fields

VERIFICATIONS, MAILS = "/v1/email-verifications", "/v1/customers/me/verification-mails"


async def let_a_day_pass(database: Postgres, email: str) -> None:
    """Make it look as if all mails had been requested a day earlier."""
    day = timedelta(days=1)
    old = {
        "warned_at": accounts.c.warned_at - day,
        "verification_requested_at": accounts.c.verification_requested_at - day,
    }
    async with database.reading() as connection:
        await connection.execute(sa.update(accounts).where(accounts.c.email == email).values(**old))


async def test_a_registration_is_stored_and_published(api: API, shared: Postgres) -> None:
    email = new_email()
    response = await api.post("/v1/customers", json=registration_body(email))
    assert response.status_code == 202
    assert response.headers["location"] == "/v1/customers/me"
    assert response.json() == {"email": email, "next": "look_into_your_mailbox"}
    account = await stored_account(shared, email)
    [event] = await published_events(shared, email)
    assert isinstance(event, CustomerRegistered)
    assert (event.customer_id, event.email, event.name) == (account.id, email, "Ada Lovelace")
    assert event.verify


async def test_the_response_does_not_reveal_whether_there_was_an_account(api: API, shared: Postgres) -> None:
    email = new_email()
    responses = [
        await api.post("/v1/customers", json=registration_body(email, name=name)) for name in ("Ada", "Eve", "Eve")
    ]
    distinct = {
        (a.status_code, a.text, *sorted(h for h in a.headers.items() if h[0] != "x-request-id")) for a in responses
    }
    assert len(distinct) == 1
    assert (await stored_account(shared, email)).name == "Ada"
    [_, warning] = await published_events(shared, email)
    assert warning == RegistrationRepeated(customer_id=(await stored_account(shared, email)).id)


async def test_a_registration_of_a_known_email_address_also_makes_a_hash_and_a_write(
    api: API, shared: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    email, costs, hash_, save = await register_customer(api), [""], PasswordHasher.hash, CustomerUnitOfWork.save

    async def recorded_hash(self: PasswordHasher, password: str) -> str:
        costs.append("hash")
        return await hash_(self, password)

    async def recorded_save(self: CustomerUnitOfWork, tx: Any) -> None:
        costs.extend("write" for _ in self.accounts.changed)
        await save(self, tx)

    monkeypatch.setattr(PasswordHasher, "hash", recorded_hash)
    monkeypatch.setattr(CustomerUnitOfWork, "save", recorded_save)
    for one in (email, email, new_email()):
        costs.clear()
        await api.post("/v1/customers", json=registration_body(one))
        assert costs == ["hash", "write"]


async def test_a_response_to_a_registration_takes_a_minimum_time(api: API, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_timing, "MIN_SECONDS", 0.2)
    for email in (await register_customer(api), new_email()):
        began = time.monotonic()
        assert (await api.post("/v1/customers", json=registration_body(email))).status_code == 202
        assert time.monotonic() - began >= 0.2


async def test_the_owner_is_warned_again_of_a_later_registration(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    for _ in range(2):
        await api.post("/v1/customers", json=registration_body(email))
        await let_a_day_pass(shared, email)
    assert [event.type for event in await published_events(shared, email)].count(
        "customer.registration_repeated"
    ) == 2


async def test_concurrent_registrations_in_two_processes_open_one_account(
    api: API, shared: Postgres, shared_url: str, key_file: Path
) -> None:
    email = new_email()
    async with checked_client(build(settings(shared_url, key_file))) as other:
        requests = [
            one.post("/v1/customers", json=registration_body(email)) for _ in range(4) for one in (api, other)
        ]
        responses = await asyncio.gather(*requests)
    assert [response.status_code for response in responses] == [202] * 8
    registered = [e for e in await events(shared) if isinstance(e, CustomerRegistered) and e.email == email]
    assert len(registered) == 1


@pytest.mark.parametrize("password", ["", "x" * 9, "x" * 201])
async def test_a_password_has_ten_to_two_hundred_characters(api: API, password: str) -> None:
    response = await api.post("/v1/customers", json=registration_body(new_email(), password=password))
    assert malformed_fields(response) == {"body/password"}
    assert password == "" or password not in response.text


@pytest.mark.parametrize(
    "name", ["A", "李小龍", "<script>alert(1)</script>", "Robert'); DROP TABLE accounts;--", "é" * 200]
)
async def test_a_name_is_stored_unchanged(api: API, name: str) -> None:
    headers = await new_customer(api, name=name)
    assert (await api.get("/v1/customers/me", headers=headers)).json()["name"] == name


async def test_an_email_address_is_verified_once_with_the_link_of_the_mail(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    headers = await log_in_headers(api, email)
    assert (await api.get("/v1/customers/me", headers=headers)).json()["verified"] is False
    [event] = await published_events(shared, email)
    assert isinstance(event, CustomerRegistered)
    token = mailed_token(event.verify, "verify")
    assert (await api.post(VERIFICATIONS, json={"token": token})).status_code == 204
    assert (await api.get("/v1/customers/me", headers=headers)).json()["verified"] is True
    assert (await published_events(shared, email))[1:] == [CustomerVerified(customer_id=event.customer_id)]
    assert_problem(await api.post(VERIFICATIONS, json={"token": token}), 409, "link_invalid")
    assert_problem(await api.post(MAILS, headers=headers), 409, "already_verified")


async def test_of_concurrent_uses_of_a_link_one_succeeds(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    [event] = await published_events(shared, email)
    assert isinstance(event, CustomerRegistered)
    tries = (api.post(VERIFICATIONS, json={"token": mailed_token(event.verify, "verify")}) for _ in range(5))
    assert sorted(a.status_code for a in await asyncio.gather(*tries)) == [204] + [409] * 4
    assert len(await published_events(shared, email)) == 2


async def test_a_token_for_another_purpose_is_refused(api: API, shared: Postgres) -> None:
    [event] = await published_events(shared, await register_customer(api))
    assert isinstance(event, CustomerRegistered)
    assert_problem(
        await api.post(VERIFICATIONS, json={"token": mailed_token(event.verify, "reset")}), 409, "link_invalid"
    )


async def test_an_expired_link_is_refused(api: API, shared: Postgres) -> None:
    [event] = await published_events(shared, await register_customer(api))
    assert isinstance(event, CustomerRegistered)
    late = sa.update(links).where(links.c.account_id == event.customer_id).values(expires_at=sa.func.now())
    async with shared.reading() as connection:
        await connection.execute(late)
    assert_problem(
        await api.post(VERIFICATIONS, json={"token": mailed_token(event.verify, "verify")}), 409, "link_invalid"
    )


async def test_neither_events_nor_tables_contain_a_token(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    [event] = await published_events(shared, email)
    assert isinstance(event, CustomerRegistered)
    token = mailed_token(event.verify, "verify")
    async with shared.reading() as connection:
        stored = str((await connection.execute(sa.select(links))).all())
    assert token not in stored + event.model_dump_json()


async def test_another_verification_mail_can_be_requested_after_a_while(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    headers = await log_in_headers(api, email)
    assert (await api.post(MAILS, headers=headers)).status_code == 202
    again = await api.post(MAILS, headers=headers)
    assert_problem(again, 429, "too_soon")
    assert again.headers["retry-after"] == "60"
    await let_a_day_pass(shared, email)
    assert (await api.post(MAILS, headers=headers)).status_code == 202
    requested = [event for event in await published_events(shared, email) if isinstance(event, VerificationRequested)]
    assert len(requested) == 2
    for event in requested[:1]:
        token = mailed_token(event.verify, "verify")
        assert (await api.post(VERIFICATIONS, json={"token": token})).status_code == 204


async def test_only_an_existing_customer_can_request_a_verification_mail(api: API) -> None:
    assert_problem(await api.post(MAILS), 401, "unauthenticated")
    assert_problem(await api.post(MAILS, headers=bearer(role="staff")), 403, "forbidden")
    assert_problem(await api.post(MAILS, headers=bearer()), 404, "not_found")


async def test_a_customer_can_log_in_before_the_email_address_is_verified(api: API) -> None:
    assert (await log_in(api, await register_customer(api))).status_code == 201
