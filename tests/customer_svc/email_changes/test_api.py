"""Changing an e-mail address over REST: what its owner can do, and what somebody with a stolen session cannot."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from customer_svc.audit_log.store import audit_log
from customer_svc.throttling.store import throttles
from customer_svc.totp.domain import code_at
from schemas import CustomerErased, EmailChanged, EmailChangeRequested
from tests.customer_svc.email_changes.changing import (
    OTHER,
    account_id,
    change,
    change_token,
    confirm,
    enrol,
    kinds_of,
    let_the_code_count_again,
    request_change,
    revert,
    revert_tokens,
)
from tests.customer_svc.factories import (
    API,
    ME,
    PASSWORD,
    WRONG_PASSWORD,
    Headers,
    deactivate,
    erase,
    log_in,
    log_in_headers,
    mailed_token,
    new_customer,
    new_email,
    new_staff,
    published_events,
    register,
    register_customer,
    stored_account,
)
from tests.outbox import events
from tests.responses import assert_problem, malformed_fields, version_tag


@pytest.fixture(autouse=True)
async def no_limits(shared: Postgres) -> None:
    """Each test begins as if nobody had tried anything."""
    async with shared.reading() as connection:
        await connection.execute(sa.delete(throttles))


async def test_an_address_is_changed_once_the_new_one_is_proved(api: API, shared: Postgres) -> None:
    email, other = await register_customer(api), new_email()
    account, headers = await account_id(shared, email), await log_in_headers(api, email)
    assert (await request_change(api, headers, other)).status_code == 202
    assert (await api.get(ME, headers=headers)).json()["email"] == email, "nothing has changed yet"
    assert_problem(await log_in(api, other), 401, "wrong_credentials")
    assert (await confirm(api, await change_token(shared, account))).status_code == 204
    assert_problem(await api.get(ME, headers=headers), 401, "unauthenticated")
    assert_problem(await log_in(api, email), 401, "wrong_credentials")
    found = (await api.get(ME, headers=await log_in_headers(api, other))).json()
    assert (found["id"], found["email"], found["verified"]) == (str(account), other, True)
    [*_, changed] = await events(shared, account)
    assert isinstance(changed, EmailChanged)
    assert (changed.email, changed.old_email) == (other, email)


async def test_the_new_address_gets_the_one_spelling(api: API, shared: Postgres) -> None:
    email, local = await register_customer(api), new_email().partition("@")[0]
    await change(api, shared, email, f"{local.upper()}@xn--mnchen-3ya.de")
    assert (await log_in(api, f"{local}@münchen.de")).status_code == 201


async def test_the_address_that_an_account_has_is_refused(api: API) -> None:
    email = await register_customer(api)
    response = await request_change(api, await log_in_headers(api, email), email.upper())
    assert_problem(response, 409, "email_unchanged")


async def test_a_change_needs_the_password(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    headers = await log_in_headers(api, email)
    assert_problem(await request_change(api, headers, new_email(), WRONG_PASSWORD), 403, "wrong_password")
    assert_problem(await request_change(api, {}, new_email()), 401, "unauthenticated")
    assert EmailChangeRequested not in await kinds_of(shared, await account_id(shared, email))


@pytest.mark.parametrize("email", ["", "ada", "a@b@c", "ada@example.com\r\nBcc: eve@example.com", "@example.com"])
async def test_what_is_no_address_is_refused(api: API, email: str) -> None:
    response = await request_change(api, await new_customer(api), email)
    assert_problem(response, 422, "malformed_request")
    assert malformed_fields(response) == {"body/email"}


async def test_staff_have_no_such_address(api: API, shared_url: str) -> None:
    staff = new_email()
    await new_staff(shared_url, staff)
    assert_problem(await request_change(api, await log_in_headers(api, staff), new_email()), 403, "forbidden")


async def test_an_account_with_one_time_codes_needs_one(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    account, secret = await account_id(shared, email), await enrol(api, email)
    await let_the_code_count_again(shared, account)
    body = {"email": email, "password": PASSWORD, "code": code_at(secret, datetime.now(UTC))}
    opened = await api.post("/v1/sessions", json=body)
    headers = {"Authorization": f"Bearer {opened.json()['access_token']}"}
    assert_problem(await request_change(api, headers, new_email()), 401, "totp_required")
    assert_problem(await request_change(api, headers, new_email(), code="no code"), 401, "wrong_code")
    assert EmailChangeRequested not in await kinds_of(shared, account)
    used = await request_change(api, headers, new_email(), code=str(body["code"]))
    assert_problem(used, 401, "wrong_code")
    await let_the_code_count_again(shared, account)
    code = code_at(secret, datetime.now(UTC))
    assert (await request_change(api, headers, new_email(), code=code)).status_code == 202


async def test_only_the_mail_tells_that_an_address_is_taken(api: API, shared: Postgres) -> None:
    taken, free = await register_customer(api), new_email()
    answers = {}
    for other in (taken, free):
        email = await register_customer(api)
        headers = await log_in_headers(api, email)
        response = await request_change(api, headers, other)
        seen = await api.get(ME, headers=headers)
        answers[other] = (response.status_code, response.content, version_tag(seen), seen.json()["verified"])
        [*_, requested] = await published_events(shared, email)
        assert isinstance(requested, EmailChangeRequested)
        assert (requested.email, requested.taken) == (other, other == taken)
        if requested.taken:
            assert_problem(await confirm(api, mailed_token(requested.change, "change")), 409, "link_invalid")
    assert answers[taken] == answers[free]
    assert (await log_in(api, taken)).status_code == 201


async def test_an_address_that_somebody_has_proved_meanwhile_stays_theirs(api: API, shared: Postgres) -> None:
    email, other = await register_customer(api), new_email()
    account = await account_id(shared, email)
    await request_change(api, await log_in_headers(api, email), other)
    await register_customer(api, email=other)
    assert_problem(await confirm(api, await change_token(shared, account)), 409, "link_invalid")
    assert (await stored_account(shared, email)).id == account
    assert (await stored_account(shared, other)).id != account


async def test_an_address_that_was_registered_and_never_proved_goes_to_the_one_who_proves_it(
    api: API, shared: Postgres
) -> None:
    email, other = await register_customer(api), new_email()
    account = await account_id(shared, email)
    await request_change(api, await log_in_headers(api, email), other)
    await register(api, other)
    squatter = await account_id(shared, other)
    assert (await confirm(api, await change_token(shared, account))).status_code == 204
    assert (await stored_account(shared, other)).id == account
    erased = (await events(shared, squatter))[-1]
    assert erased == CustomerErased(customer_id=squatter, requested=False), "and the other services forget it"


async def test_only_the_last_request_counts(api: API, shared: Postgres) -> None:
    # The first went to a mistyped address, which may have a reader.
    email, mistyped, other = await register_customer(api), new_email(), new_email()
    account, headers = await account_id(shared, email), await log_in_headers(api, email)
    await request_change(api, headers, mistyped)
    first = await change_token(shared, account)
    await request_change(api, headers, other)
    assert_problem(await confirm(api, first), 409, "link_invalid")
    assert (await confirm(api, await change_token(shared, account))).status_code == 204
    assert (await stored_account(shared, other)).id == account


async def test_of_requests_at_the_same_time_one_can_be_confirmed(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    account, headers = await account_id(shared, email), await log_in_headers(api, email)
    await asyncio.gather(*(request_change(api, headers, new_email()) for _ in range(3)))
    requested = [one for one in await events(shared, account) if isinstance(one, EmailChangeRequested)]
    tokens = [mailed_token(one.change, "change") for one in requested]
    answers = await asyncio.gather(*(confirm(api, token) for token in tokens * 2))
    assert sorted(one.status_code for one in answers) == [204, 409, 409, 409, 409, 409]


async def test_of_two_accounts_that_confirm_one_address_one_gets_it(api: API, shared: Postgres) -> None:
    emails, other = [await register_customer(api) for _ in range(2)], new_email()
    tokens = []
    for email in emails:
        await request_change(api, await log_in_headers(api, email), other)
        tokens.append(await change_token(shared, await account_id(shared, email)))
    answers = await asyncio.gather(*(confirm(api, token) for token in tokens))
    assert sorted(one.status_code for one in answers) == [204, 409]


@pytest.mark.parametrize("how", ["password", "logout", "deactivate"])
async def test_what_ends_the_sessions_of_a_thief_ends_the_change_that_was_requested(
    api: API, shared: Postgres, how: str
) -> None:
    email = await register_customer(api)
    account, headers = await account_id(shared, email), await log_in_headers(api, email)
    await request_change(api, headers, new_email())
    if how == "password":
        body = {"current_password": PASSWORD, "new_password": OTHER}
        await api.post(f"{ME}/password-changes", json=body, headers=headers)
    elif how == "logout":
        await api.post("/v1/sessions/logout-everywhere", headers=headers)
    else:
        await deactivate(api, headers)
    assert_problem(await confirm(api, await change_token(shared, account)), 409, "link_invalid")
    assert (await stored_account(shared, email)).id == account


async def test_an_erased_account_gets_no_other_address(api: API, shared: Postgres) -> None:
    email, other = await register_customer(api), new_email()
    account, headers = await account_id(shared, email), await log_in_headers(api, email)
    await request_change(api, headers, other)
    token = await change_token(shared, account)
    answers = await asyncio.gather(confirm(api, token), erase(api, headers))
    assert answers[0].status_code in (204, 409)
    assert_problem(await confirm(api, token), 409, "link_invalid")
    if answers[1].status_code == 202:
        assert (await kinds_of(shared, account))[-1] is CustomerErased


async def test_a_deactivated_account_keeps_its_address(api: API) -> None:
    email = await register_customer(api)
    await deactivate(api, await log_in_headers(api, email))
    response = await request_change(api, await log_in_headers(api, email), new_email())
    assert_problem(response, 409, "account_deactivated")


async def test_changes_are_in_the_audit_log(api: API, shared: Postgres) -> None:
    email, other = await register_customer(api), new_email()
    account, headers = await account_id(shared, email), await log_in_headers(api, email)
    await request_change(api, headers, other, WRONG_PASSWORD)
    await change(api, shared, email, other)
    await revert(api, (await revert_tokens(shared, account))[0])
    query = sa.select(audit_log.c.action, audit_log.c.outcome, audit_log.c.reason).where(
        sa.or_(audit_log.c.actor == account, audit_log.c.subject == account), audit_log.c.action.like("email.%")
    )
    async with shared.reading() as connection:
        found = [tuple(row) for row in await connection.execute(query.order_by(audit_log.c.position))]
    assert found == [
        ("email.change_request", "refused", "wrong_password"),
        ("email.change_request", "granted", ""),
        ("email.change", "granted", ""),
        ("email.revert", "granted", ""),
    ]


async def mails_requested(api: API, accounts: Sequence[Headers], addresses: Sequence[str]) -> list[int]:
    answers = [await request_change(api, headers, email) for headers, email in zip(accounts, addresses, strict=True)]
    return [one.status_code for one in answers]


async def test_an_account_cannot_have_mails_sent_to_many_addresses(api: API) -> None:
    headers = await new_customer(api)
    addresses = [new_email() for _ in range(4)]
    assert await mails_requested(api, [headers] * 4, addresses) == [202, 202, 202, 429]


async def test_an_address_gets_few_mails_from_however_many_accounts(api: API) -> None:
    customers = [await new_customer(api) for _ in range(4)]
    assert await mails_requested(api, customers, [new_email()] * 4) == [202, 202, 202, 429]


async def test_guessed_passwords_are_counted_like_log_ins(api: API, shared: Postgres) -> None:
    headers = await new_customer(api)
    answers = [await request_change(api, headers, new_email(), WRONG_PASSWORD) for _ in range(11)]
    assert {one.status_code for one in answers[:10]} == {403}
    assert_problem(answers[10], 429, "too_many_attempts")


async def test_what_is_refused_after_the_right_password_is_no_guess(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    headers = await log_in_headers(api, email)
    answers = [await request_change(api, headers, email) for _ in range(3)]
    assert {one.status_code for one in answers} == {409}
    answers = [await request_change(api, headers, new_email()) for _ in range(9)]
    assert {one.status_code for one in answers} == {429}
    assert (await log_in(api, email)).status_code == 201
    body = {"current_password": PASSWORD, "new_password": OTHER}
    assert (await api.post(f"{ME}/password-changes", json=body, headers=headers)).status_code == 204
