"""Erasing an account, over REST."""

import asyncio

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from customer_svc.accounts.queries import LEDGER as ACCOUNTS
from customer_svc.accounts.store import accounts, metadata
from customer_svc.erasure.queries import LEDGER as ERASURES
from schemas import CustomerErased
from tests.bad_inputs import NOT_A_UUID
from tests.customer_svc.factories import (
    API,
    ME,
    WRONG_PASSWORD,
    add_address,
    erase,
    log_in,
    log_in_headers,
    new_customer,
    published_events,
    register,
    register_customer,
    registration_body,
    stored_account,
    verify_silently,
)
from tests.outbox import envelopes
from tests.responses import accepted_values, assert_problem

ERASURE_PATH = "/v1/erasures"


async def test_no_table_mentions_an_erased_customer_except_the_erasure(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    headers = await log_in_headers(api, email)
    await add_address(api, headers)
    await api.post("/v1/sessions/refresh", json={"refresh_token": (await log_in(api, email)).json()["refresh_token"]})
    customer_id = (await stored_account(shared, email)).id
    response = await erase(api, headers)
    assert response.status_code == 202
    found = []
    async with shared.reading() as connection:
        for table in metadata.tables.values():
            rows = str((await connection.execute(sa.select(table))).all())
            found += [table.name] if email in rows or str(customer_id) in rows else []
    assert found == ["erasures"], "the id is needed for the acknowledgements of the other services"
    [*_, last] = await envelopes(shared, customer_id)
    assert (last.event, last.aggregate_version) == (CustomerErased(customer_id=customer_id), 3)
    assert (await audited_versions(shared))[customer_id] == 3


async def audited_versions(database: Postgres) -> dict[object, int]:
    """The versions of all accounts, as the audit reads them."""
    async with database.reading() as connection:
        rows = [row for query in (*ACCOUNTS, *ERASURES) for row in await connection.execute(sa.text(query))]
    return {row.id: row.version for row in rows if row.kind == "account"}


async def test_the_progress_of_an_erasure_can_be_read_without_an_account(api: API) -> None:
    headers = await new_customer(api)
    response = await erase(api, headers)
    assert_problem(await api.get(ME, headers=headers), 401, "unauthenticated")
    progress = await api.get(response.headers["location"])
    assert progress.json() == response.json()
    assert progress.json()["state"] == "running"
    parts = {part["part"]: part["done_at"] is not None for part in progress.json()["parts"]}
    assert parts == {"account": True, "orders": False, "mails": False}
    assert_problem(await api.get(f"{ERASURE_PATH}/{uuid7()}"), 404, "erasure_not_found")
    assert await accepted_values(api, "GET", f"{ERASURE_PATH}/{{}}", NOT_A_UUID) == []


async def test_the_email_address_of_an_erased_account_can_be_registered_as_a_new_customer(
    api: API, shared: Postgres
) -> None:
    email = await register_customer(api)
    before = await stored_account(shared, email)
    await erase(api, await log_in_headers(api, email))
    assert_problem(await log_in(api, email), 401, "wrong_credentials")
    await register(api, email)
    await verify_silently(shared, email)
    after = await stored_account(shared, email)
    assert after.id != before.id
    assert (await log_in(api, email)).status_code == 201


async def test_an_email_address_has_at_most_one_account_after_concurrent_erasures_and_registrations(
    api: API, shared: Postgres
) -> None:
    email = await register_customer(api)
    headers = await log_in_headers(api, email)
    registrations = [api.post("/v1/customers", json=registration_body(email)) for _ in range(3)]
    responses = await asyncio.gather(erase(api, headers), *registrations, erase(api, headers))
    *accepted, refused = sorted(response.status_code for response in responses)
    # The second erasure finds no account, or that the first has revoked its token.
    assert (accepted, refused in (401, 404)) == ([202] * 4, True)
    async with shared.reading() as connection:
        query = sa.select(sa.func.count()).where(accounts.c.email == email)
        assert await connection.scalar(query) in (0, 1)


async def test_an_account_is_erased_only_with_its_password(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    headers = await log_in_headers(api, email)
    assert_problem(await erase(api, headers, WRONG_PASSWORD), 403, "wrong_password")
    assert len(await published_events(shared, email)) == 1
