"""Changing a password and setting one that is forgotten, over REST."""

import asyncio
import time
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from customer_svc.api import needs
from customer_svc.bootstrap import appoint_account
from customer_svc.store import accounts
from schemas import Event, PasswordChanged, PasswordResetRequested
from tests.answers import malformed_at, refused
from tests.customer_svc.people import (
    API,
    PASSWORD,
    account,
    log_in,
    logged_in,
    new_email,
    registered,
    registration,
    token_of,
    told_of,
)
from tests.customer_svc.test_bootstrap import settings as bootstrap_settings

CHANGES, MAILS, RESETS = "/v1/customers/me/password-changes", "/v1/password-reset-mails", "/v1/password-resets"
OTHER = "another horse, another battery"


async def change(api: API, who: dict[str, str], current: str = PASSWORD, new: str = OTHER) -> httpx.Response:
    return await api.post(CHANGES, json={"current_password": current, "new_password": new}, headers=who)


async def forget(api: API, email: str) -> None:
    assert (await api.post(MAILS, json={"email": email})).status_code == 202


async def reset(api: API, token: str, password: str = OTHER) -> httpx.Response:
    return await api.post(RESETS, json={"token": token, "new_password": password})


async def mailed_tokens(database: Postgres, email: str) -> list[str]:
    asked = [event for event in await told_of(database, email) if isinstance(event, PasswordResetRequested)]
    return [token_of(event.reset, "reset") for event in asked]


async def a_while_later(database: Postgres, email: str) -> None:
    old = accounts.c.reset_asked_at - timedelta(hours=1)
    async with database.reading() as connection:
        await connection.execute(sa.update(accounts).where(accounts.c.email == email).values(reset_asked_at=old))


async def last_told(database: Postgres, email: str) -> Event:
    return (await told_of(database, email))[-1]


async def test_a_changed_password_is_the_only_one_and_is_told_of(api: API, shared: Postgres) -> None:
    email = await registered(api)
    assert (await change(api, await logged_in(api, email))).status_code == 204
    refused(await log_in(api, email), 401, "wrong_credentials")
    assert (await log_in(api, email, OTHER)).status_code == 201
    made = await account(shared, email)
    assert await last_told(shared, email) == PasswordChanged(customer_id=made.id, how="changed")
    assert (made.version, made.verified_at) == (2, None)


async def test_a_changed_password_ends_every_session(api: API) -> None:
    email = await registered(api)
    tokens = [(await log_in(api, email)).json()["refresh_token"] for _ in range(2)]
    await change(api, await logged_in(api, email))
    for token in tokens:
        answer = await api.post("/v1/sessions/refresh", json={"refresh_token": token})
        refused(answer, 401, "refresh_refused")


async def test_without_the_current_password_nothing_is_changed(api: API, shared: Postgres) -> None:
    email = await registered(api)
    refused(await change(api, await logged_in(api, email), current=OTHER), 403, "wrong_password")
    assert (await log_in(api, email)).status_code == 201
    assert len(await told_of(shared, email)) == 1


async def test_of_changes_at_once_one_counts(api: API, shared: Postgres) -> None:
    email = await registered(api)
    who = await logged_in(api, email)
    answers = await asyncio.gather(*(change(api, who, new=f"{OTHER} {n}") for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [204] + [403] * 3
    assert (await account(shared, email)).version == 2


async def test_only_who_is_there_changes_a_password(api: API) -> None:
    refused(await change(api, {}), 401, "unauthenticated")
    refused(await change(api, bearer()), 404, "not_found")


async def test_one_of_us_changes_a_password_and_nobody_is_told(api: API, shared: Postgres, shared_url: str) -> None:
    email = new_email()
    await appoint_account(bootstrap_settings(shared_url, PASSWORD), email, "staff")
    assert (await change(api, await logged_in(api, email))).status_code == 204
    assert (await log_in(api, email, OTHER)).status_code == 201
    assert await told_of(shared, email) == []


async def test_a_forgotten_password_is_set_with_the_link_of_a_mail_once(api: API, shared: Postgres) -> None:
    email = await registered(api)
    await forget(api, email)
    [token] = await mailed_tokens(shared, email)
    assert (await reset(api, token)).status_code == 204
    assert (await log_in(api, email, OTHER)).status_code == 201
    refused(await log_in(api, email), 401, "wrong_credentials")
    made = await account(shared, email)
    assert await last_told(shared, email) == PasswordChanged(customer_id=made.id, how="reset")
    assert made.verified_at, "somebody reads mail there"
    refused(await reset(api, token, "yet another horse"), 409, "link_spent")


async def test_a_link_used_twice_at_once_sets_one_password(api: API, shared: Postgres) -> None:
    email = await registered(api)
    await forget(api, email)
    [token] = await mailed_tokens(shared, email)
    answers = await asyncio.gather(*(reset(api, token, f"{OTHER} {n}") for n in range(3)))
    assert sorted(answer.status_code for answer in answers) == [204, 409, 409]


async def test_a_reset_ends_every_session_and_every_other_link(api: API, shared: Postgres) -> None:
    email = await registered(api)
    session = (await log_in(api, email)).json()["refresh_token"]
    await forget(api, email)
    await a_while_later(shared, email)
    await forget(api, email)
    first, second = await mailed_tokens(shared, email)
    assert (await reset(api, first)).status_code == 204
    refused(await reset(api, second), 409, "link_spent")
    refused(await api.post("/v1/sessions/refresh", json={"refresh_token": session}), 401, "refresh_refused")


async def test_a_link_that_confirms_an_address_sets_no_password(api: API, shared: Postgres) -> None:
    email = await registered(api)
    [event] = await told_of(shared, email)
    refused(await reset(api, token_of(getattr(event, "verify", None), "verify")), 409, "link_spent")


async def test_a_mail_is_sent_once_a_minute_however_often_it_is_asked_for(api: API, shared: Postgres) -> None:
    email = await registered(api)
    for _ in range(3):
        await forget(api, email)
    assert len(await mailed_tokens(shared, email)) == 1


async def test_whoever_registers_an_address_again_holds_up_no_mail_about_its_password(
    api: API, shared: Postgres
) -> None:
    email = await registered(api)
    await api.post("/v1/customers", json=registration(email))
    assert (
        await api.post("/v1/customers/me/verification-mails", headers=await logged_in(api, email))
    ).status_code == 202
    await forget(api, email)
    assert len(await mailed_tokens(shared, email)) == 1


async def test_a_forgotten_password_of_nobody_or_of_one_of_us_is_answered_alike(
    api: API, shared: Postgres, shared_url: str
) -> None:
    staff, customer = new_email(), await registered(api)
    await appoint_account(bootstrap_settings(shared_url, PASSWORD), staff, "staff")
    answers = [await api.post(MAILS, json={"email": email}) for email in (customer, new_email(), staff)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, "null")}
    assert await told_of(shared, staff) == []


async def test_an_answer_about_a_forgotten_password_takes_its_time(api: API, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "ANSWER_SECONDS", 0.2)
    for email in (await registered(api), new_email()):
        began = time.monotonic()
        await forget(api, email)
        assert time.monotonic() - began >= 0.2


async def test_mails_about_one_address_cannot_be_asked_for_without_end(api: API) -> None:
    known, unknown = await registered(api), new_email()
    for email in (known, unknown):
        answers = [await api.post(MAILS, json={"email": email}) for _ in range(11)]
        assert [answer.status_code for answer in answers] == [202] * 10 + [429]
        refused(answers[-1], 429, "too_many_tries")


@pytest.mark.parametrize("password", ["", "x" * 9, "x" * 201])
async def test_a_new_password_has_ten_to_two_hundred_characters(api: API, password: str) -> None:
    who = await logged_in(api, await registered(api))
    assert malformed_at(await change(api, who, new=password)) == {"body/new_password"}
    assert malformed_at(await reset(api, "x", password)) == {"body/new_password"}


async def test_no_log_line_holds_a_secret(api: API, shared: Postgres) -> None:
    with capture_logs() as lines:
        email = await registered(api)
        session = (await log_in(api, email)).json()
        await log_in(api, email, "wrong horse battery")
        await forget(api, email)
        [token] = await mailed_tokens(shared, email)
        await reset(api, token)
        await api.post("/v1/sessions/refresh", json={"refresh_token": session["refresh_token"]})
    assert lines
    logged = str(lines)
    secrets = (PASSWORD, OTHER, "wrong horse battery", token, session["refresh_token"], session["access_token"])
    assert [secret for secret in secrets if secret in logged] == []
