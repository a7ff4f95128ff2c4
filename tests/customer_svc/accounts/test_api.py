"""Deactivating and reactivating your own account over REST."""

from typing import Any

import pytest

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from customer_svc.accounts.commands import DeactivateAccount, ReactivateAccount
from customer_svc.errors import AccountDeactivated
from customer_svc.unit_of_work import CustomerUnitOfWork
from schemas import CustomerDeactivated, CustomerReactivated
from tests.customer_svc.factories import (
    ADDRESS,
    ADDRESSES,
    API,
    ME,
    WRONG_PASSWORD,
    add_address,
    change_profile,
    deactivate,
    erase,
    log_in,
    log_in_headers,
    new_email,
    new_staff,
    published_events,
    reactivate,
    register_customer,
    stored_account,
)
from tests.outbox import events
from tests.responses import assert_problem, version_tag


async def test_if_match_is_checked_where_it_is_sent(api: API) -> None:
    email = await register_customer(api)
    for path in (f"{ME}/deactivate", f"{ME}/reactivate"):
        headers = await log_in_headers(api, email)
        seen = version_tag(await api.get(ME, headers=headers))
        assert_problem(await api.post(path, headers={**headers, "If-Match": '"99"'}), 412, "precondition_failed")
        changed = await api.post(path, headers={**headers, "If-Match": seen})
        assert changed.status_code == 200
        headers = await log_in_headers(api, email)
        assert changed.headers["etag"] == version_tag(await api.get(ME, headers=headers)) != seen


async def test_deactivation_and_reactivation_are_published(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    headers = await log_in_headers(api, email)
    response = await deactivate(api, headers)
    assert (response.status_code, response.json()["state"]) == (200, "deactivated")
    headers = await log_in_headers(api, email)
    assert_problem(await deactivate(api, headers), 409, "already_deactivated")
    response = await reactivate(api, headers)
    assert (response.status_code, response.json()["state"]) == (200, "active")
    assert_problem(await reactivate(api, headers), 409, "already_active")
    customer_id = (await stored_account(shared, email)).id
    assert (await published_events(shared, email))[1:] == [
        CustomerDeactivated(customer_id=customer_id, by="customer"),
        CustomerReactivated(customer_id=customer_id, by="customer"),
    ]


async def test_deactivation_ends_sessions_and_the_customer_can_log_in_to_reactivate(api: API) -> None:
    email = await register_customer(api)
    session = (await log_in(api, email)).json()
    await deactivate(api, {"Authorization": f"Bearer {session['access_token']}"})
    body = {"refresh_token": session["refresh_token"]}
    assert_problem(await api.post("/v1/sessions/refresh", json=body), 401, "refresh_token_invalid")
    assert (await reactivate(api, await log_in_headers(api, email))).status_code == 200


async def test_a_deactivated_account_cannot_be_changed(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    headers = await log_in_headers(api, email)
    path = (await add_address(api, headers)).headers["location"]
    await deactivate(api, headers)
    headers = await log_in_headers(api, email)
    any_version = headers | {"If-Match": "*"}
    body: dict[str, Any] = ADDRESS | {"default_for": []}
    for response in (
        await change_profile(api, headers, {"name": "Ada"}),
        await api.post(ADDRESSES, json=body, headers=headers),
        await api.put(path, json=body, headers=any_version),
        await api.delete(path, headers=any_version),
    ):
        assert_problem(response, 409, "account_deactivated")
    assert len(await published_events(shared, email)) == 3


async def test_after_a_deactivation_by_staff_the_customer_can_neither_log_in_nor_reactivate(
    api: API, shared: Postgres, commit: GroupCommit[CustomerUnitOfWork]
) -> None:
    email = await register_customer(api)
    headers = await log_in_headers(api, email)
    await deactivate(api, headers)
    account = await stored_account(shared, email)
    await commit(DeactivateAccount(account.id, "staff"))
    assert_problem(await log_in(api, email), 409, "account_deactivated")
    assert_problem(await log_in(api, email, WRONG_PASSWORD), 401, "wrong_credentials")
    assert_problem(await reactivate(api, headers), 401, "unauthenticated")
    with pytest.raises(AccountDeactivated):
        await commit(ReactivateAccount(account.id, "customer"))
    await commit(ReactivateAccount(account.id, "staff"))
    assert (await log_in(api, email)).status_code == 201
    kinds = [event.type.partition(".")[2] for event in await published_events(shared, email)]
    assert kinds == ["registered", "deactivated", "deactivated", "reactivated"]


async def test_staff_can_neither_deactivate_nor_erase_nor_export_their_own_account(
    api: API, shared: Postgres, shared_url: str
) -> None:
    email = new_email()
    staff = await new_staff(shared_url, email)
    headers = await log_in_headers(api, email)
    export = await api.get(f"{ME}/export", headers=headers)
    for response in (await deactivate(api, headers), await erase(api, headers), export):
        assert_problem(response, 403, "forbidden")
    assert await stored_account(shared, email) == staff
    assert await events(shared, staff.id) == []


@pytest.mark.parametrize("path", ["deactivate", "reactivate"])
async def test_an_account_that_does_not_exist_can_be_neither_deactivated_nor_reactivated(api: API, path: str) -> None:
    assert_problem(await api.post(f"{ME}/{path}"), 401, "unauthenticated")
    assert_problem(await api.post(f"{ME}/{path}", headers=bearer()), 404, "customer_not_found")
