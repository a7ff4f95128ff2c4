"""Taking an account back from its old e-mail address, over REST."""

import asyncio

import pytest
import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from customer_svc.accounts.store import accounts
from customer_svc.links.store import links
from customer_svc.staff.bootstrap import Settings, appoint_staff
from customer_svc.throttling.store import throttles
from customer_svc.totp.store import totps
from schemas import EmailChangeRequested, EmailChangeReverted, PasswordChanged, RegistrationRepeated
from tests.customer_svc.email_changes.changing import (
    OTHER,
    account_id,
    change,
    change_token,
    confirm,
    enrol,
    kinds_of,
    let_the_link_expire,
    request_change,
    revert,
    revert_tokens,
)
from tests.customer_svc.factories import (
    API,
    ME,
    PASSWORD,
    WRONG_PASSWORD,
    deactivate,
    log_in,
    log_in_headers,
    new_email,
    published_events,
    register,
    register_customer,
    stored_account,
)
from tests.outbox import events
from tests.responses import assert_problem


@pytest.fixture(autouse=True)
async def no_limits(shared: Postgres) -> None:
    """Each test begins as if nobody had tried anything."""
    async with shared.reading() as connection:
        await connection.execute(sa.delete(throttles))


@pytest.mark.parametrize("purpose", ["change", "revert"])
async def test_an_expired_link_is_refused(api: API, shared: Postgres, purpose: str) -> None:
    email, other = await register_customer(api), new_email()
    account = await account_id(shared, email)
    if purpose == "change":
        await request_change(api, await log_in_headers(api, email), other)
        await let_the_link_expire(shared, account, purpose)
        answer = await confirm(api, await change_token(shared, account))
    else:
        await change(api, shared, email, other)
        await let_the_link_expire(shared, account, purpose)
        answer = await revert(api, (await revert_tokens(shared, account))[0])
    assert_problem(answer, 409, "link_invalid")


async def test_a_link_serves_no_other_purpose(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    account = await change(api, shared, email, new_email())
    [token] = await revert_tokens(shared, account)
    assert_problem(await confirm(api, token), 409, "link_invalid")
    body = {"token": token, "new_password": OTHER}
    assert_problem(await api.post("/v1/password-resets", json=body), 409, "link_invalid")
    assert_problem(await revert(api, await change_token(shared, account)), 409, "link_invalid")


async def test_the_old_address_takes_the_account_back(api: API, shared: Postgres) -> None:
    email, other = await register_customer(api), new_email()
    account = await change(api, shared, email, other)
    thief = await log_in_headers(api, other)
    await request_change(api, thief, new_email())
    await api.post("/v1/password-reset-mails", json={"email": other})
    [token] = await revert_tokens(shared, account)
    assert (await revert(api, token)).status_code == 204
    assert_problem(await api.get(ME, headers=thief), 401, "unauthenticated")
    for address, password in ((other, PASSWORD), (other, OTHER), (email, PASSWORD)):
        assert_problem(await log_in(api, address, password), 401, "wrong_credentials")
    assert_problem(await confirm(api, await change_token(shared, account)), 409, "link_invalid")
    assert (await log_in(api, email, OTHER)).status_code == 201
    [*_, reverted, password_changed] = await events(shared, account)
    assert isinstance(reverted, EmailChangeReverted)
    assert (reverted.email, reverted.removed_email) == (email, other)
    assert password_changed == PasswordChanged(customer_id=account, how="reset")
    assert_problem(await revert(api, token), 409, "link_invalid")


async def test_the_first_address_takes_the_account_back_however_often_it_was_changed(
    api: API, shared: Postgres
) -> None:
    email, second, third = await register_customer(api), new_email(), new_email()
    account = await change(api, shared, email, second)
    await change(api, shared, second, third)
    owner, thief = await revert_tokens(shared, account)
    # The thief reverts the second change, which must not void the way back to the owner.
    assert (await revert(api, thief, "a battery of horses")).status_code == 204
    assert (await revert(api, owner)).status_code == 204
    assert (await stored_account(shared, email)).id == account
    assert_problem(await revert(api, thief), 409, "link_invalid")


async def test_a_later_change_cannot_be_reverted_after_an_earlier_one_was(api: API, shared: Postgres) -> None:
    email, second, third = await register_customer(api), new_email(), new_email()
    account = await change(api, shared, email, second)
    await change(api, shared, second, third)
    owner, thief = await revert_tokens(shared, account)
    answers = await asyncio.gather(revert(api, owner), revert(api, thief, "a battery of horses"))
    assert answers[0].status_code == 204
    assert_problem(await revert(api, thief), 409, "link_invalid")
    assert (await stored_account(shared, email)).id == account
    assert (await log_in(api, email, OTHER)).status_code == 201


async def test_a_thief_who_deactivates_the_account_cannot_keep_it(api: API, shared: Postgres) -> None:
    email, other = await register_customer(api), new_email()
    account = await change(api, shared, email, other)
    await deactivate(api, await log_in_headers(api, other))
    assert (await revert(api, (await revert_tokens(shared, account))[0])).status_code == 204
    headers = await log_in_headers(api, email, OTHER)
    assert (await api.post(f"{ME}/reactivate", headers=headers)).status_code == 200


async def test_nobody_can_register_an_address_that_its_account_can_go_back_to(api: API, shared: Postgres) -> None:
    email, other = await register_customer(api), new_email()
    account = await change(api, shared, email, other)
    await register(api, email, password=WRONG_PASSWORD)
    assert await kinds_of(shared, account)
    async with shared.reading() as connection:
        assert not (await connection.execute(sa.select(accounts.c.id).where(accounts.c.email == email))).all()
    third = await register_customer(api)
    await request_change(api, await log_in_headers(api, third), email)
    [*_, requested] = await published_events(shared, third)
    assert isinstance(requested, EmailChangeRequested)
    assert requested.taken
    assert (await revert(api, (await revert_tokens(shared, account))[0])).status_code == 204
    await register(api, other)
    assert (await stored_account(shared, other)).id != account, "the removed address is free at once"


async def test_an_address_is_free_when_its_account_cannot_go_back_to_it(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    account = await change(api, shared, email, new_email())
    await let_the_link_expire(shared, account, "revert")
    await register(api, email)
    assert (await stored_account(shared, email)).id != account


async def test_an_owner_can_go_back_to_the_old_address(api: API, shared: Postgres) -> None:
    email, other = await register_customer(api), new_email()
    account = await change(api, shared, email, other)
    await change(api, shared, other, email)
    first, second = await revert_tokens(shared, account)
    assert_problem(await revert(api, first), 409, "link_invalid")
    assert (await log_in(api, email)).status_code == 201, "a link to the address that it has sets no password"
    assert (await revert(api, second)).status_code == 204
    assert (await stored_account(shared, other)).id == account


async def test_one_time_codes_that_the_thief_set_up_go_with_them(api: API, shared: Postgres) -> None:
    email, other = await register_customer(api), new_email()
    account = await change(api, shared, email, other)
    await enrol(api, other)
    assert (await revert(api, (await revert_tokens(shared, account))[0])).status_code == 204
    assert (await log_in(api, email, OTHER)).status_code == 201


async def test_one_time_codes_from_long_before_the_change_stay(api: API, shared: Postgres) -> None:
    # Somebody who reads the old mailbox gets no further.
    email, other = await register_customer(api), new_email()
    account = await change(api, shared, email, other)
    await enrol(api, other)
    async with shared.reading() as connection:
        long_ago = totps.c.created_at - sa.text("interval '30 days'")
        await connection.execute(sa.update(totps).where(totps.c.account_id == account).values(created_at=long_ago))
    assert (await revert(api, (await revert_tokens(shared, account))[0])).status_code == 204
    assert_problem(await log_in(api, email, OTHER), 401, "totp_required")


async def test_codes_go_also_if_changes_can_be_reverted_for_longer_than_when_it_was_made(
    api: API, shared: Postgres
) -> None:
    # The validity of the link does not say when it was made.
    email, other = await register_customer(api), new_email()
    account = await change(api, shared, email, other)
    await enrol(api, other)
    async with shared.reading() as connection:
        later = links.c.expires_at + sa.text("interval '30 days'")
        mine = sa.and_(links.c.account_id == account, links.c.purpose == "revert")
        await connection.execute(sa.update(links).where(mine).values(expires_at=later))
    assert (await revert(api, (await revert_tokens(shared, account))[0])).status_code == 204
    assert (await log_in(api, email, OTHER)).status_code == 201


async def test_a_registration_of_a_former_address_is_no_mail_to_the_present_one(api: API, shared: Postgres) -> None:
    email, other = await register_customer(api), new_email()
    account = await change(api, shared, email, other)
    before = await kinds_of(shared, account)
    await register(api, email.upper())
    assert await kinds_of(shared, account) == before
    await register(api, other)
    assert await kinds_of(shared, account) == [*before, RegistrationRepeated]


async def test_staff_get_no_address_that_an_account_can_go_back_to(
    api: API, shared: Postgres, shared_url: str
) -> None:
    email = await register_customer(api)
    account = await change(api, shared, email, new_email())
    settings = Settings.model_validate({"postgres_url": shared_url, "bootstrap_password": PASSWORD})
    kept = await appoint_staff(settings, email, "staff")
    assert (kept.id, kept.role) == (account, "customer")
    assert (await revert(api, (await revert_tokens(shared, account))[0])).status_code == 204
