"""What the audit log records, over REST, and that nobody can flood it."""

from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from chassis.http.auth import Role
from chassis.persistence.postgres.database import Postgres
from chassis.runtime import security_log
from chassis.testing import bearer
from customer_svc.audit_log.store import audit_log, audit_log_expiry
from tests.bad_inputs import NOT_A_UUID, bad_tokens
from tests.customer_svc.factories import (
    API,
    ME,
    PASSWORD,
    WRONG_PASSWORD,
    add_address,
    deactivate,
    erase,
    log_in,
    log_in_headers,
    new_email,
    new_staff,
    register_customer,
    stored_account,
)
from tests.responses import accepted_tokens, assert_problem, malformed_fields

LOG = "/v1/audit-log"
OPS = bearer(role="ops")
SOURCE = "127.0.0.1"


@pytest.fixture(autouse=True)
def unlimited(app: FastAPI, api: API, monkeypatch: pytest.MonkeyPatch) -> None:
    """All the requests of a module come from the same network."""
    limit = security_log.LineLimit(1_000_000, 1_000_000)
    monkeypatch.setattr(app.state.container.audit_log, "_limit", limit)


async def entries(api: API, **query: object) -> list[dict[str, Any]]:
    given = {name: str(value) for name, value in query.items()}
    response = await api.get(LOG, params=given, headers=OPS)
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


async def recorded(api: API, account_id: UUID) -> list[tuple[str, str, str]]:
    """What is recorded about an account, oldest first."""
    found = await entries(api, account_id=account_id)
    return [(one["action"], one["outcome"], one["reason"]) for one in reversed(found)]


async def test_log_ins_granted_and_refused_are_recorded_with_their_source(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    account_id = (await stored_account(shared, email)).id
    refused = await log_in(api, email, WRONG_PASSWORD)
    granted = await log_in(api, email)
    newest, oldest = await entries(api, account_id=account_id)
    assert oldest == {
        **{"position": oldest["position"], "at": oldest["at"], "action": "session.open", "outcome": "refused"},
        **{"reason": "wrong_credentials", "actor": None, "role": None, "subject": str(account_id)},
        **{"source": SOURCE, "request_id": refused.headers["x-request-id"], "why": None},
    }
    assert newest == {
        **{"position": newest["position"], "at": newest["at"], "action": "session.open", "outcome": "granted"},
        **{"reason": "", "actor": str(account_id), "role": "customer", "subject": None},
        **{"source": SOURCE, "request_id": granted.headers["x-request-id"], "why": None},
    }


async def test_an_attempt_with_an_unknown_address_is_recorded_without_it(api: API, shared: Postgres) -> None:
    email = new_email()
    request_id = (await log_in(api, email)).headers["x-request-id"]
    [entry] = [one for one in await entries(api, limit=20) if one["request_id"] == request_id]
    assert (entry["reason"], entry["subject"], entry["source"]) == ("wrong_credentials", None, SOURCE)
    async with shared.reading() as connection:
        assert email not in str((await connection.execute(sa.select(audit_log))).all())


async def test_what_an_account_does_is_recorded(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    account_id = (await stored_account(shared, email)).id
    headers = await log_in_headers(api, email)
    await add_address(api, headers)
    change = {"current_password": WRONG_PASSWORD, "new_password": f"{PASSWORD} staple"}
    await api.post(f"{ME}/password-changes", json=change, headers=headers)
    await api.post(f"{ME}/password-changes", json=change | {"current_password": PASSWORD}, headers=headers)
    password = f"{PASSWORD} staple"
    await deactivate(api, await log_in_headers(api, email, password))
    session = (await log_in(api, email, password)).json()
    for _ in range(2):
        await api.post("/v1/sessions/refresh", json={"refresh_token": session["refresh_token"]})
    await api.post("/v1/sessions/logout", json={"refresh_token": session["refresh_token"]})
    await erase(api, await log_in_headers(api, email, password), password)
    assert await recorded(api, account_id) == [
        ("session.open", "granted", ""),
        ("address.change", "granted", ""),
        ("password.change", "refused", "wrong_password"),
        ("password.change", "granted", ""),
        ("session.open", "granted", ""),
        ("account.deactivate", "granted", ""),
        ("session.open", "granted", ""),
        ("session.token_reused", "refused", "refresh_token_invalid"),
        ("session.end", "granted", ""),
        ("session.open", "granted", ""),
        ("account.erase", "granted", ""),
    ]


async def test_what_staff_and_ops_read_and_change_of_others_is_recorded(
    api: API, shared: Postgres, shared_url: str
) -> None:
    email = await register_customer(api)
    customer_id = (await stored_account(shared, email)).id
    staff, ops = uuid7(), uuid7()
    as_staff, as_ops = bearer(staff, "staff"), bearer(ops, "ops")
    await api.get("/v1/customers", headers=as_staff)
    for method, path in (("GET", ""), ("POST", "/deactivate"), ("POST", "/deactivate"), ("POST", "/reactivate")):
        await api.request(method, f"/v1/customers/{customer_id}{path}", headers=as_staff)
    await api.post("/v1/ops/traces", json={"email": email}, headers=as_ops)
    assert await recorded(api, staff) == [
        ("account.list", "granted", ""),
        ("account.read", "granted", ""),
        ("account.deactivate", "granted", ""),
        ("account.deactivate", "refused", "already_deactivated"),
        ("account.reactivate", "granted", ""),
    ]
    assert await recorded(api, ops) == [("account.find", "granted", "")]
    about = await entries(api, account_id=customer_id)
    assert [(one["action"], one["actor"]) for one in about][-4:] == [
        *(("account.reactivate", str(staff)), ("account.deactivate", str(staff))),
        *(("account.deactivate", str(staff)), ("account.read", str(staff))),
    ]
    assert about[0]["action"] == "account.find"


async def test_changes_of_staff_accounts_are_recorded_with_the_reason(api: API, shared_url: str) -> None:
    await new_staff(shared_url, new_email(), "ops")
    account = await new_staff(shared_url, new_email())
    why = {"why": "left the company"}
    await api.post(f"/v1/staff-accounts/{account.id}/deactivate", json=why, headers=OPS)
    appointed, deactivated = reversed(await entries(api, account_id=account.id))
    assert (appointed["action"], appointed["why"]) == ("staff.appoint", "role staff")
    assert (deactivated["action"], deactivated["why"], deactivated["role"]) == ("staff.deactivate", why["why"], "ops")


async def test_a_refused_token_or_role_is_recorded(api: API) -> None:
    customer, target = uuid7(), uuid7()
    await api.get(f"/v1/customers/{target}", headers=bearer(customer))
    await api.get(f"/v1/customers/{target}")
    found = await entries(api, account_id=target)
    assert [(one["reason"], one["actor"]) for one in found] == [
        ("unauthenticated", None),
        ("forbidden", str(customer)),
    ]


async def test_the_log_is_paged_and_filtered(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    account_id = (await stored_account(shared, email)).id
    for password in (PASSWORD, WRONG_PASSWORD, PASSWORD, PASSWORD):
        await log_in(api, email, password)
    assert len(await entries(api, account_id=account_id, outcome="refused")) == 1
    assert await entries(api, account_id=account_id, action="account.erase") == []
    query = {"account_id": str(account_id), "limit": "3"}
    first = (await api.get(LOG, params=query, headers=OPS)).json()
    await log_in(api, email)
    second = (await api.get(LOG, params=query | {"cursor": str(first["next"])}, headers=OPS)).json()
    assert (len(first["items"]), len(second["items"]), second["next"]) == (3, 1, None)


async def test_log_lines_have_no_secrets_and_no_addresses(api: API) -> None:
    email = await register_customer(api)
    with capture_logs() as logs:
        session = (await log_in(api, email)).json()
        await log_in(api, email, WRONG_PASSWORD)
        for _ in range(2):
            await api.post("/v1/sessions/refresh", json={"refresh_token": session["refresh_token"]})
    lines = [line for line in logs if line.get("logger") == "security"]
    assert [(line["event"], line["outcome"]) for line in lines] == [
        *(("session.open", "granted"), ("session.open", "refused"), ("session.token_reused", "refused")),
    ]
    for secret in (email, PASSWORD, WRONG_PASSWORD, session["access_token"], session["refresh_token"]):
        assert secret not in str(lines)


async def test_garbage_from_one_source_leaves_a_few_entries_and_others_are_still_recorded(
    api: API, app: FastAPI, shared: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.state.container.audit_log, "_limit", security_log.LineLimit(3, 1_000))
    target = uuid7()
    for _ in range(10):
        await api.get(f"/v1/customers/{target}", headers={"Authorization": "Bearer garbage"})
    assert len(await entries(api, account_id=target)) == 3
    elsewhere = httpx.ASGITransport(app, client=("198.51.100.7", 1))
    async with httpx.AsyncClient(transport=elsewhere, base_url="http://test") as other:
        await other.get(f"/v1/customers/{target}")
    assert [one["source"] for one in await entries(api, account_id=target)][:1] == ["198.51.100.7"]
    # Clients that are known are not limited.
    staff = uuid7()
    for _ in range(5):
        await api.get(f"/v1/customers/{target}", headers=bearer(staff, "staff"))
    assert len(await entries(api, account_id=staff)) == 5


async def test_old_entries_are_deleted(api: API, shared: Postgres) -> None:
    old, new = uuid7(), uuid7()
    for target in (old, new):
        await api.get(f"/v1/customers/{target}")
    async with shared.reading() as connection:
        aged = sa.text("UPDATE audit_log SET at = at - interval '2 days' WHERE subject = :old")
        await connection.execute(aged, {"old": old})
    assert await audit_log_expiry(shared, 86_400).delete_expired() == 1
    assert (await entries(api, account_id=old), len(await entries(api, account_id=new))) == ([], 1)


async def test_only_ops_read_the_log(api: API) -> None:
    roles: tuple[Role, ...] = ("customer", "staff")
    for role in roles:
        assert_problem(await api.get(LOG, headers=bearer(role=role)), 403, "forbidden")
    assert await accepted_tokens(api, "GET", LOG, bad_tokens("ops")) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("account_id", text) for text in NOT_A_UUID if text),
        *(("action", text) for text in ("x", "order.read")),
        *(("cursor", text) for text in ("-1", "x", "1e3")),
        *(("limit", "0"), ("outcome", "maybe")),
    ],
)
async def test_an_invalid_query_is_malformed(api: API, name: str, value: str) -> None:
    assert malformed_fields(await api.get(LOG, params={name: value}, headers=OPS)) == {f"query/{name}"}
