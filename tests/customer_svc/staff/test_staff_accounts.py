"""Ops deactivate and reactivate the accounts of staff and ops; one account of ops stays active."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.http.auth import Role
from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from customer_svc.main import build
from tests.bad_inputs import bad_tokens
from tests.customer_svc.factories import (
    API,
    ME,
    Headers,
    log_in,
    log_in_headers,
    new_email,
    new_staff,
    register_customer,
    settings,
    stored_account,
)
from tests.responses import accepted_tokens, assert_problem, checked_client

ACCOUNTS = "/v1/staff-accounts"
OPS = bearer(role="ops")
WHY = {"why": "left the company"}


@pytest.fixture
async def alone(postgres_url: str, key_file: Path) -> AsyncIterator[API]:
    """A process with an empty database of its own."""
    async with checked_client(build(settings(postgres_url, key_file))) as client:
        yield client


async def act(api: API, account_id: object, action: str, headers: Headers = OPS) -> httpx.Response:
    return await api.post(f"{ACCOUNTS}/{account_id}/{action}", json=WHY, headers=headers)


@pytest.mark.parametrize("role", ["staff", "ops"])
async def test_a_deactivated_member_of_staff_has_no_sessions_and_cannot_log_in_until_reactivated(
    api: API, shared_url: str, role: Role
) -> None:
    assert role != "customer"
    await new_staff(shared_url, new_email(), "ops")
    email = new_email()
    account = await new_staff(shared_url, email, role)
    session = (await log_in(api, email)).json()
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    assert (await act(api, account.id, "deactivate")).status_code == 204
    assert_problem(await api.get(ME, headers=headers), 401, "unauthenticated")
    body = {"refresh_token": session["refresh_token"]}
    assert_problem(await api.post("/v1/sessions/refresh", json=body), 401, "refresh_token_invalid")
    assert_problem(await log_in(api, email), 409, "account_deactivated")
    assert_problem(await log_in(api, email, "not the password"), 401, "wrong_credentials")
    assert_problem(await act(api, account.id, "deactivate"), 409, "already_deactivated")
    assert (await act(api, account.id, "reactivate")).status_code == 204
    assert_problem(await act(api, account.id, "reactivate"), 409, "already_active")
    assert_problem(await api.get(ME, headers=headers), 401, "unauthenticated")
    assert (await log_in(api, email)).status_code == 201


async def test_the_last_active_account_of_ops_cannot_be_deactivated(alone: API, postgres_url: str) -> None:
    one, other = [await new_staff(postgres_url, new_email(), "ops") for _ in range(2)]
    headers = await log_in_headers(alone, one.email)
    assert (await act(alone, other.id, "deactivate", headers)).status_code == 204
    assert_problem(await act(alone, one.id, "deactivate", headers), 409, "last_ops_account")
    assert (await act(alone, other.id, "reactivate", headers)).status_code == 204
    assert (await act(alone, one.id, "deactivate", headers)).status_code == 204
    assert_problem(await act(alone, other.id, "deactivate", headers), 401, "unauthenticated")


async def test_two_accounts_of_ops_cannot_deactivate_each_other_at_once(alone: API, postgres_url: str) -> None:
    people = [await new_staff(postgres_url, new_email(), "ops") for _ in range(2)]
    responses = await asyncio.gather(*(act(alone, one.id, "deactivate") for one in people))
    assert sorted(response.status_code for response in responses) == [204, 409]


async def test_accounts_of_staff_and_ops_are_listed(alone: API, postgres_url: str) -> None:
    grace = await new_staff(postgres_url, new_email())
    ada = await new_staff(postgres_url, new_email(), "ops")
    await register_customer(alone)
    await act(alone, grace.id, "deactivate")
    listed = (await alone.get(ACCOUNTS, headers=OPS)).json()["items"]
    assert listed == [
        {
            **{"id": str(account.id), "email": account.email, "name": "Staff", "role": account.role},
            **{"state": state, "one_time_codes": False},
        }
        for account, state in ((grace, "deactivated"), (ada, "active"))
    ]


async def test_customers_are_no_staff(api: API, shared: Postgres) -> None:
    customer = await stored_account(shared, await register_customer(api))
    for account_id in (customer.id, uuid7()):
        for action in ("deactivate", "reactivate"):
            assert_problem(await act(api, account_id, action), 404, "staff_account_not_found")


async def test_only_ops_reach_the_accounts_of_staff(api: API) -> None:
    roles: tuple[Role, ...] = ("customer", "staff")
    for role in roles:
        assert_problem(await api.get(ACCOUNTS, headers=bearer(role=role)), 403, "forbidden")
        assert_problem(await act(api, uuid7(), "deactivate", bearer(role=role)), 403, "forbidden")
    assert await accepted_tokens(api, "GET", ACCOUNTS, bad_tokens("ops")) == []
