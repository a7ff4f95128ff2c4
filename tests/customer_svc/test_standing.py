"""Leaving for a while, coming back, taking everything along and leaving for good, over REST."""

import asyncio
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from customer_svc import queries
from customer_svc.bootstrap import appoint_account
from customer_svc.commands.standing import deactivate, reactivate
from customer_svc.domain.account import Account, By
from customer_svc.store import Accounts, metadata
from schemas import CustomerDeactivated, CustomerErased, CustomerReactivated
from tests.answers import refused, undescribed
from tests.customer_svc.people import (
    API,
    PASSWORD,
    account,
    log_in,
    logged_in,
    new_email,
    newcomer,
    registered,
    registration,
    told_of,
)
from tests.customer_svc.test_bootstrap import settings as bootstrap_settings
from tests.customer_svc.test_profile import ADDRESSES, ME, PLACE, add, change
from tests.hostile import NO_UUID
from tests.outbox import events, told

ERASURES = "/v1/erasures"
Who = dict[str, str]


async def leave(api: API, who: Who) -> httpx.Response:
    return await api.post(f"{ME}/deactivate", headers=who)


async def come_back(api: API, who: Who) -> httpx.Response:
    return await api.post(f"{ME}/reactivate", headers=who)


async def erase(api: API, who: Who, password: str = PASSWORD) -> httpx.Response:
    return await api.post(ERASURES, json={"password": password}, headers=who)


async def by(who: By, commit: GroupCommit[Accounts], one: Account, *, back: bool = False) -> Account:
    move = reactivate if back else deactivate
    return await commit(lambda unit: move(unit, one.id, who), lambda unit: unit.accounts.prefetch(one.id))


async def test_who_leaves_and_comes_back_may_say_which_version_they_have_seen(api: API) -> None:
    who = await logged_in(api, await registered(api))
    for path in (f"{ME}/deactivate", f"{ME}/reactivate"):
        seen = (await api.get(ME, headers=who)).headers["etag"]
        refused(await api.post(path, headers={**who, "If-Match": '"99"'}), 412, "precondition_failed")
        moved = await api.post(path, headers={**who, "If-Match": seen})
        assert moved.status_code == 200
        assert moved.headers["etag"] == (await api.get(ME, headers=who)).headers["etag"] != seen


async def test_a_customer_leaves_and_comes_back_and_others_are_told(api: API, shared: Postgres) -> None:
    email = await registered(api)
    who = await logged_in(api, email)
    gone = await leave(api, who)
    assert (gone.status_code, gone.json()["state"]) == (200, "deactivated")
    refused(await leave(api, who), 409, "deactivated_already")
    back = await come_back(api, who)
    assert (back.status_code, back.json()["state"]) == (200, "active")
    refused(await come_back(api, who), 409, "active_already")
    customer_id = (await account(shared, email)).id
    assert (await told_of(shared, email))[1:] == [
        CustomerDeactivated(customer_id=customer_id, by="customer"),
        CustomerReactivated(customer_id=customer_id, by="customer"),
    ]


async def test_who_left_has_no_sessions_and_can_log_in_to_come_back(api: API) -> None:
    email = await registered(api)
    session = (await log_in(api, email)).json()
    await leave(api, {"Authorization": f"Bearer {session['access_token']}"})
    body = {"refresh_token": session["refresh_token"]}
    refused(await api.post("/v1/sessions/refresh", json=body), 401, "refresh_refused")
    assert (await come_back(api, await logged_in(api, email))).status_code == 200


async def test_an_account_out_of_use_is_not_changed(api: API, shared: Postgres) -> None:
    email = await registered(api)
    who = await logged_in(api, email)
    path = (await add(api, who)).headers["location"]
    await leave(api, who)
    any_tag = who | {"If-Match": "*"}
    body: dict[str, Any] = PLACE | {"default_for": []}
    for answer in (
        await change(api, who, {"name": "Ada"}),
        await api.post(ADDRESSES, json=body, headers=who),
        await api.put(path, json=body, headers=any_tag),
        await api.delete(path, headers=any_tag),
    ):
        refused(answer, 409, "account_deactivated")
    assert len(await told_of(shared, email)) == 3


async def test_whom_staff_put_out_of_use_cannot_log_in_nor_come_back(
    api: API, shared: Postgres, commit: GroupCommit[Accounts]
) -> None:
    email = await registered(api)
    who = await logged_in(api, email)
    await leave(api, who)
    await by("staff", commit, await account(shared, email))
    refused(await log_in(api, email), 409, "account_deactivated")
    refused(await log_in(api, email, "wrong horse battery"), 401, "wrong_credentials")
    refused(await come_back(api, who), 409, "account_deactivated")
    await by("staff", commit, await account(shared, email), back=True)
    assert (await log_in(api, email)).status_code == 201
    kinds = [event.type.partition(".")[2] for event in await told_of(shared, email)]
    assert kinds == ["registered", "deactivated", "deactivated", "reactivated"]


async def test_an_erased_customer_is_nowhere_in_the_tables(api: API, shared: Postgres) -> None:
    email = await registered(api)
    who = await logged_in(api, email)
    await add(api, who)
    await api.post("/v1/sessions/refresh", json={"refresh_token": (await log_in(api, email)).json()["refresh_token"]})
    customer_id = (await account(shared, email)).id
    answer = await erase(api, who)
    assert answer.status_code == 202
    found = []
    async with shared.reading() as connection:
        for table in metadata.tables.values():
            rows = str((await connection.execute(sa.select(table))).all())
            found += [table.name] if email in rows or str(customer_id) in rows else []
    assert found == ["erasures"], "by its id alone, for the answers of the others"
    [*_, last] = await told(shared, customer_id)
    assert (last.event, last.aggregate_version) == (CustomerErased(customer_id=customer_id), 3)
    ledger = await the_ledger(shared)
    assert ledger[customer_id] == 3


async def the_ledger(database: Postgres) -> dict[object, int]:
    """What the audit is told: id → version."""
    async with database.reading() as connection:
        rows = [row for query in queries.LEDGER for row in await connection.execute(sa.text(query))]
    return {row.id: row.version for row in rows if row.kind == "account"}


async def test_the_progress_of_an_erasure_can_be_seen_without_an_account(api: API) -> None:
    who = await newcomer(api)
    answer = await erase(api, who)
    refused(await api.get(ME, headers=who), 404, "not_found")
    progress = await api.get(answer.headers["location"])
    assert progress.json() == answer.json()
    assert progress.json()["state"] == "running"
    parts = {part["part"]: part["done_at"] is not None for part in progress.json()["parts"]}
    assert parts == {"account": True, "orders": False, "mails": False}
    refused(await api.get(f"{ERASURES}/{uuid7()}"), 404, "erasure_unknown")
    assert await undescribed(api, "GET", f"{ERASURES}/{{}}", NO_UUID) == []


async def test_an_erased_address_can_be_registered_anew_as_somebody_else(api: API, shared: Postgres) -> None:
    email = await registered(api)
    before = await account(shared, email)
    await erase(api, await logged_in(api, email))
    refused(await log_in(api, email), 401, "wrong_credentials")
    await api.post("/v1/customers", json=registration(email))
    after = await account(shared, email)
    assert after.id != before.id
    assert (await log_in(api, email)).status_code == 201


async def test_registered_again_in_the_moment_of_its_erasure_an_address_has_one_account(
    api: API, shared: Postgres
) -> None:
    email = await registered(api)
    who = await logged_in(api, email)
    answers = await asyncio.gather(
        erase(api, who), *(api.post("/v1/customers", json=registration(email)) for _ in range(3)), erase(api, who)
    )
    assert sorted(answer.status_code for answer in answers) == [202, 202, 202, 202, 404]
    async with shared.reading() as connection:
        query = sa.select(sa.func.count()).where(metadata.tables["accounts"].c.email == email)
        assert await connection.scalar(query) in (0, 1)


async def test_only_with_the_password_is_an_account_erased(api: API, shared: Postgres) -> None:
    email = await registered(api)
    who = await logged_in(api, email)
    refused(await erase(api, who, "wrong horse battery"), 403, "wrong_password")
    assert len(await told_of(shared, email)) == 1


async def test_one_of_us_neither_leaves_nor_is_erased_so(api: API, shared: Postgres, shared_url: str) -> None:
    email = new_email()
    made = await appoint_account(bootstrap_settings(shared_url, PASSWORD), email, "staff")
    who = await logged_in(api, email)
    for answer in (await leave(api, who), await erase(api, who), await api.get(f"{ME}/export", headers=who)):
        refused(answer, 403, "forbidden")
    assert await account(shared, email) == made
    assert await events(shared, made.id) == []


@pytest.mark.parametrize("path", ["deactivate", "reactivate"])
async def test_who_is_gone_can_neither_leave_nor_come_back(api: API, path: str) -> None:
    refused(await api.post(f"{ME}/{path}"), 401, "unauthenticated")
    refused(await api.post(f"{ME}/{path}", headers=bearer()), 404, "customer_unknown")
