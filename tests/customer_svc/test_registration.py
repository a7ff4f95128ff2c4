"""Registering and confirming an address over REST."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from customer_svc.api import needs
from customer_svc.main import build
from customer_svc.passwords import Passwords
from customer_svc.store import Accounts, accounts, links
from schemas import CustomerRegistered, CustomerVerified, RegistrationRepeated, VerificationRequested
from tests.answers import malformed_at, refused, watched
from tests.customer_svc.conftest import settings
from tests.customer_svc.people import (
    API,
    account,
    log_in,
    logged_in,
    new_email,
    newcomer,
    registered,
    registration,
    token_of,
    told_of,
)
from tests.outbox import events

VERIFICATIONS, MAILS = "/v1/email-verifications", "/v1/customers/me/verification-mails"


async def aged(database: Postgres, email: str) -> None:
    """Let what was asked for have been asked for long ago."""
    longer = timedelta(days=1)
    old = {"warned_at": accounts.c.warned_at - longer, "verify_asked_at": accounts.c.verify_asked_at - longer}
    async with database.reading() as connection:
        await connection.execute(sa.update(accounts).where(accounts.c.email == email).values(**old))


async def test_a_customer_registers_and_is_told_of(api: API, shared: Postgres) -> None:
    email = new_email()
    answer = await api.post("/v1/customers", json=registration(email))
    assert answer.status_code == 202
    assert answer.headers["location"] == "/v1/customers/me"
    assert answer.json() == {"email": email, "next": "look_into_your_mailbox"}
    made = await account(shared, email)
    [event] = await told_of(shared, email)
    assert isinstance(event, CustomerRegistered)
    assert (event.customer_id, event.email, event.name) == (made.id, email, "Ada Lovelace")
    assert event.verify


async def test_the_answer_does_not_tell_whether_there_was_an_account(api: API, shared: Postgres) -> None:
    email = new_email()
    answers = [await api.post("/v1/customers", json=registration(email, name=name)) for name in ("Ada", "Eve", "Eve")]
    told = {(a.status_code, a.text, *sorted(h for h in a.headers.items() if h[0] != "x-request-id")) for a in answers}
    assert len(told) == 1
    assert (await account(shared, email)).name == "Ada"
    [_, warning] = await told_of(shared, email)
    assert warning == RegistrationRepeated(customer_id=(await account(shared, email)).id)


async def test_a_registration_of_a_known_address_takes_a_hash_and_a_write_too(
    api: API, shared: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    email, costs, hashed, save = await registered(api), [""], Passwords.hashed, Accounts.save

    async def noted_hash(self: Passwords, password: str) -> str:
        costs.append("hash")
        return await hashed(self, password)

    async def noted_save(self: Accounts, tx: Any) -> None:
        costs.extend("write" for _ in self.accounts.changed)
        await save(self, tx)

    monkeypatch.setattr(Passwords, "hashed", noted_hash)
    monkeypatch.setattr(Accounts, "save", noted_save)
    for one in (email, email, new_email()):
        costs.clear()
        await api.post("/v1/customers", json=registration(one))
        assert costs == ["hash", "write"]


async def test_an_answer_to_a_registration_takes_its_time(api: API, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "ANSWER_SECONDS", 0.2)
    for email in (await registered(api), new_email()):
        began = time.monotonic()
        assert (await api.post("/v1/customers", json=registration(email))).status_code == 202
        assert time.monotonic() - began >= 0.2


async def test_the_owner_is_warned_of_a_later_registration_again(api: API, shared: Postgres) -> None:
    email = await registered(api)
    for _ in range(2):
        await api.post("/v1/customers", json=registration(email))
        await aged(shared, email)
    assert [event.type for event in await told_of(shared, email)].count("customer.registration_repeated") == 2


async def test_an_account_raced_for_through_two_processes_is_opened_once(
    api: API, shared: Postgres, shared_url: str, key_file: Path
) -> None:
    email = new_email()
    async with watched(build(settings(shared_url, key_file))) as other:
        tries = [one.post("/v1/customers", json=registration(email)) for _ in range(4) for one in (api, other)]
        answers = await asyncio.gather(*tries)
    assert [answer.status_code for answer in answers] == [202] * 8
    told = [e for e in await events(shared) if isinstance(e, CustomerRegistered) and e.email == email]
    assert len(told) == 1


@pytest.mark.parametrize("password", ["", "x" * 9, "x" * 201])
async def test_a_password_has_ten_to_two_hundred_characters(api: API, password: str) -> None:
    answer = await api.post("/v1/customers", json=registration(new_email(), password=password))
    assert malformed_at(answer) == {"body/password"}
    assert password == "" or password not in answer.text


@pytest.mark.parametrize(
    "name", ["A", "李小龍", "<script>alert(1)</script>", "Robert'); DROP TABLE accounts;--", "é" * 200]
)
async def test_a_name_is_kept_as_it_is(api: API, name: str) -> None:
    who = await newcomer(api, name=name)
    assert (await api.get("/v1/customers/me", headers=who)).json()["name"] == name


async def test_an_address_is_confirmed_with_the_link_of_the_mail_once(api: API, shared: Postgres) -> None:
    email = await registered(api)
    who = await logged_in(api, email)
    assert (await api.get("/v1/customers/me", headers=who)).json()["verified"] is False
    [event] = await told_of(shared, email)
    assert isinstance(event, CustomerRegistered)
    token = token_of(event.verify, "verify")
    assert (await api.post(VERIFICATIONS, json={"token": token})).status_code == 204
    assert (await api.get("/v1/customers/me", headers=who)).json()["verified"] is True
    assert (await told_of(shared, email))[1:] == [CustomerVerified(customer_id=event.customer_id)]
    refused(await api.post(VERIFICATIONS, json={"token": token}), 409, "link_spent")
    refused(await api.post(MAILS, headers=who), 409, "verified_already")


async def test_a_link_used_twice_at_once_confirms_once(api: API, shared: Postgres) -> None:
    email = await registered(api)
    [event] = await told_of(shared, email)
    assert isinstance(event, CustomerRegistered)
    tries = (api.post(VERIFICATIONS, json={"token": token_of(event.verify, "verify")}) for _ in range(5))
    assert sorted(a.status_code for a in await asyncio.gather(*tries)) == [204] + [409] * 4
    assert len(await told_of(shared, email)) == 2


async def test_a_token_for_another_purpose_confirms_nothing(api: API, shared: Postgres) -> None:
    [event] = await told_of(shared, await registered(api))
    assert isinstance(event, CustomerRegistered)
    refused(await api.post(VERIFICATIONS, json={"token": token_of(event.verify, "reset")}), 409, "link_spent")


async def test_a_link_that_is_too_old_confirms_nothing(api: API, shared: Postgres) -> None:
    [event] = await told_of(shared, await registered(api))
    assert isinstance(event, CustomerRegistered)
    late = sa.update(links).where(links.c.account_id == event.customer_id).values(expires_at=sa.func.now())
    async with shared.reading() as connection:
        await connection.execute(late)
    refused(await api.post(VERIFICATIONS, json={"token": token_of(event.verify, "verify")}), 409, "link_spent")


async def test_neither_events_nor_tables_hold_a_token(api: API, shared: Postgres) -> None:
    email = await registered(api)
    [event] = await told_of(shared, email)
    assert isinstance(event, CustomerRegistered)
    token = token_of(event.verify, "verify")
    async with shared.reading() as connection:
        kept = str((await connection.execute(sa.select(links))).all())
    assert token not in kept + event.model_dump_json()


async def test_a_lost_mail_can_be_asked_for_again_after_a_while(api: API, shared: Postgres) -> None:
    email = await registered(api)
    who = await logged_in(api, email)
    assert (await api.post(MAILS, headers=who)).status_code == 202
    again = await api.post(MAILS, headers=who)
    refused(again, 429, "asked_just_now")
    assert again.headers["retry-after"] == "60"
    await aged(shared, email)
    assert (await api.post(MAILS, headers=who)).status_code == 202
    asked = [event for event in await told_of(shared, email) if isinstance(event, VerificationRequested)]
    assert len(asked) == 2
    for event in asked[:1]:
        token = token_of(event.verify, "verify")
        assert (await api.post(VERIFICATIONS, json={"token": token})).status_code == 204


async def test_only_a_customer_that_is_there_can_ask_for_a_mail(api: API) -> None:
    refused(await api.post(MAILS), 401, "unauthenticated")
    refused(await api.post(MAILS, headers=bearer(role="staff")), 403, "forbidden")
    refused(await api.post(MAILS, headers=bearer()), 404, "not_found")


async def test_one_can_log_in_before_the_address_is_confirmed(api: API) -> None:
    assert (await log_in(api, await registered(api))).status_code == 201
