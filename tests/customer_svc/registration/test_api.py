"""Registering and verifying an e-mail address over REST."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from customer_svc.accounts import response_timing
from customer_svc.accounts.store import accounts
from customer_svc.links.store import links
from customer_svc.main import build
from customer_svc.passwords.hasher import PasswordHasher
from customer_svc.unit_of_work import CustomerUnitOfWork
from schemas import (
    AddressesChanged,
    CustomerRegistered,
    CustomerVerified,
    ProfileChanged,
    VerificationRequested,
)
from tests.customer_svc.factories import (
    API,
    PASSWORD,
    add_address,
    change_profile,
    log_in,
    log_in_headers,
    mailed_token,
    new_customer,
    new_email,
    published_events,
    register,
    register_customer,
    registration_body,
    settings,
    stored_account,
)
from tests.outbox import events
from tests.responses import assert_problem, checked_client, malformed_fields

VERIFICATIONS = "/v1/email-verifications"
THEIRS = "the password of the owner"


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
    for one in (email, email, new_email(), await register(api)):
        costs.clear()
        await api.post("/v1/customers", json=registration_body(one))
        assert costs == ["hash", "write"]


async def test_a_response_to_a_registration_takes_a_minimum_time(api: API, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_timing, "MIN_SECONDS", 0.2)
    for email in (await register_customer(api), new_email()):
        began = time.monotonic()
        assert (await api.post("/v1/customers", json=registration_body(email))).status_code == 202
        assert time.monotonic() - began >= 0.2


async def test_the_owner_of_a_verified_account_is_warned_again_of_a_later_registration(
    api: API, shared: Postgres
) -> None:
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


@pytest.mark.parametrize("password", ["", "x" * 11, "x" * 201])
async def test_a_password_has_twelve_to_two_hundred_characters(api: API, password: str) -> None:
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
    email = await register(api)
    [event] = await published_events(shared, email)
    assert isinstance(event, CustomerRegistered)
    token = mailed_token(event.verify, "verify")
    assert (await api.post(VERIFICATIONS, json={"token": token})).status_code == 204
    headers = await log_in_headers(api, email)
    assert (await api.get("/v1/customers/me", headers=headers)).json()["verified"] is True
    assert (await published_events(shared, email))[1:] == [CustomerVerified(customer_id=event.customer_id)]
    assert_problem(await api.post(VERIFICATIONS, json={"token": token}), 409, "link_invalid")


async def test_of_concurrent_uses_of_a_link_one_succeeds(api: API, shared: Postgres) -> None:
    email = await register(api)
    [event] = await published_events(shared, email)
    assert isinstance(event, CustomerRegistered)
    tries = (api.post(VERIFICATIONS, json={"token": mailed_token(event.verify, "verify")}) for _ in range(5))
    assert sorted(a.status_code for a in await asyncio.gather(*tries)) == [204] + [409] * 4
    assert len(await published_events(shared, email)) == 2


async def test_a_token_for_another_purpose_is_refused(api: API, shared: Postgres) -> None:
    [event] = await published_events(shared, await register(api))
    assert isinstance(event, CustomerRegistered)
    assert_problem(
        await api.post(VERIFICATIONS, json={"token": mailed_token(event.verify, "reset")}), 409, "link_invalid"
    )


async def test_an_expired_link_is_refused(api: API, shared: Postgres) -> None:
    [event] = await published_events(shared, await register(api))
    assert isinstance(event, CustomerRegistered)
    late = sa.update(links).where(links.c.account_id == event.customer_id).values(expires_at=sa.func.now())
    async with shared.reading() as connection:
        await connection.execute(late)
    assert_problem(
        await api.post(VERIFICATIONS, json={"token": mailed_token(event.verify, "verify")}), 409, "link_invalid"
    )


async def test_neither_events_nor_tables_contain_a_token(api: API, shared: Postgres) -> None:
    email = await register(api)
    [event] = await published_events(shared, email)
    assert isinstance(event, CustomerRegistered)
    token = mailed_token(event.verify, "verify")
    async with shared.reading() as connection:
        stored = str((await connection.execute(sa.select(links))).all())
    assert token not in stored + event.model_dump_json()


async def link_tokens(database: Postgres, email: str) -> list[str]:
    """The tokens of the links that were mailed to an address to verify it."""
    links_of = [getattr(event, "verify", None) for event in await published_events(database, email)]
    return [mailed_token(link, "verify") for link in links_of if link]


async def verify(api: API, token: str, **owner: str) -> httpx.Response:
    return await api.post(VERIFICATIONS, json={"token": token} | ({"owner": owner} if owner else {}))


async def test_an_unverified_address_gets_one_mail_an_hour_however_often_it_is_registered(
    api: API, shared: Postgres
) -> None:
    email = new_email()
    for mails in (1, 2):
        for _ in range(3):
            await register(api, email)
        assert len(await link_tokens(shared, email)) == mails
        await let_a_day_pass(shared, email)
    [registered, again] = await published_events(shared, email)
    assert isinstance(registered, CustomerRegistered)
    assert isinstance(again, VerificationRequested)
    assert (await stored_account(shared, email)).version == 2


@pytest.mark.parametrize("later", [False, True], ids=["within the hour", "a day later"])
async def test_whoever_registers_an_address_first_does_not_keep_the_account_of_its_owner(
    api: API, shared: Postgres, later: bool
) -> None:
    email = await register(api, name="What a stranger wrote")
    if later:
        await let_a_day_pass(shared, email)
    await register(api, email, password=THEIRS)
    token = (await link_tokens(shared, email))[-1]
    assert_problem(await verify(api, token), 409, "registration_contested")
    assert (await verify(api, token, name="Grace", password=THEIRS)).status_code == 204
    assert_problem(await log_in(api, email), 401, "wrong_credentials")
    headers = await log_in_headers(api, email, THEIRS)
    assert (await api.get("/v1/customers/me", headers=headers)).json()["name"] == "Grace"


async def test_whoever_registers_an_address_last_does_not_get_the_account_of_its_owner(
    api: API, shared: Postgres
) -> None:
    email = await register(api, password=THEIRS)
    await let_a_day_pass(shared, email)
    await register(api, email, password=PASSWORD, name="Eve")
    first, second = await link_tokens(shared, email)
    assert (await verify(api, first, name="Grace", password=THEIRS)).status_code == 204
    assert_problem(await log_in(api, email, PASSWORD), 401, "wrong_credentials")
    assert (await log_in(api, email, THEIRS)).status_code == 201
    assert_problem(await verify(api, second, name="Eve", password=PASSWORD), 409, "link_invalid")
    assert (await verify(api, second)).status_code == 204, "it is verified already"
    assert (await log_in(api, email, THEIRS)).status_code == 201


async def test_nothing_of_earlier_registrations_is_left_when_the_owner_has_used_the_link(
    api: API, shared: Postgres
) -> None:
    email = await register_customer(api)
    session = (await log_in(api, email)).json()
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    await add_address(api, headers, "shipping")
    await change_profile(api, headers, {"phone": "+442079460000", "marketing": True})
    async with shared.reading() as connection:
        # As accounts from before log-ins required a verified address.
        await connection.execute(sa.update(accounts).where(accounts.c.email == email).values(verified_at=None))
    await register(api, email)
    token = (await link_tokens(shared, email))[0]
    assert (await verify(api, token, name="Grace", password=THEIRS)).status_code == 204
    body = {"refresh_token": session["refresh_token"]}
    assert_problem(await api.post("/v1/sessions/refresh", json=body), 401, "refresh_token_invalid")
    account = await stored_account(shared, email)
    assert (account.name, account.phone, account.marketing, account.addresses) == ("Grace", None, False, ())
    assert (await published_events(shared, email))[-3:] == [
        AddressesChanged(customer_id=account.id, shipping=None, billing=None),
        ProfileChanged(customer_id=account.id, name="Grace", locale="en", marketing=False, order_updates=True),
        CustomerVerified(customer_id=account.id),
    ]


async def test_an_owner_may_set_name_and_password_with_the_link_of_the_only_registration(
    api: API, shared: Postgres
) -> None:
    email = await register(api)
    [token] = await link_tokens(shared, email)
    assert (await verify(api, token, name="Grace", password=THEIRS)).status_code == 204
    assert (await log_in(api, email, THEIRS)).status_code == 201


async def test_an_owner_has_a_name_and_a_good_password(api: API) -> None:
    assert malformed_fields(await verify(api, "x", name="Grace", password="short")) == {"body/owner/password"}
    assert malformed_fields(await verify(api, "x", password=THEIRS)) == {"body/owner/name"}


async def test_a_link_that_does_not_fit_costs_no_hash(
    api: API, shared: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = await register(api)
    [token] = await link_tokens(shared, email)
    assert (await verify(api, token)).status_code == 204
    monkeypatch.delattr(PasswordHasher, "hash_for_link")
    for wrong in (token, "x"):
        assert_problem(await verify(api, wrong, name="Grace", password=THEIRS), 409, "link_invalid")


@pytest.mark.parametrize("name", [" ", "\u3000\u200b", "\u3164"])
async def test_a_name_that_cannot_be_seen_is_refused(api: API, name: str) -> None:
    response = await api.post("/v1/customers", json=registration_body(new_email(), name=name))
    [error] = assert_problem(response, 422, "malformed_request")["errors"]
    assert (error["where"], error["type"]) == ("body/name", "blank")
