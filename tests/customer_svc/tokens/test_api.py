"""What revokes access tokens: in customer_svc at once, and in the list that the other services read."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from joserfc.jwk import OKPKey

from chassis.http.revoked_tokens import EVERY_EPOCH, digest
from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from customer_svc.accounts.store import accounts
from customer_svc.main import build
from customer_svc.tokens import verifier
from customer_svc.tokens.queries import revoked_tokens
from tests.customer_svc.factories import (
    API,
    ME,
    PASSWORD,
    Headers,
    deactivate,
    erase,
    log_in,
    mailed_token,
    published_events,
    register_customer,
    settings,
    stored_account,
)
from tests.responses import assert_problem, checked_client

LIST = "/.well-known/revoked-tokens.json"
Session = dict[str, Any]
Revoke = Callable[[API, Postgres, str, Session], Awaitable[httpx.Response]]


@pytest.fixture(autouse=True)
def fresh_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is read for every request."""
    monkeypatch.setattr(verifier, "CACHE_SECONDS", 0.0)


def headers_of(session: Session) -> Headers:
    return {"Authorization": f"Bearer {session['access_token']}"}


async def open_session(api: API, email: str) -> Session:
    session: Session = (await log_in(api, email)).json()
    return session


async def end_session(api: API, _database: Postgres, _email: str, session: Session) -> httpx.Response:
    return await api.post("/v1/sessions/logout", json={"refresh_token": session["refresh_token"]})


async def reuse_refresh_token(api: API, _database: Postgres, _email: str, session: Session) -> httpx.Response:
    body = {"refresh_token": session["refresh_token"]}
    await api.post("/v1/sessions/refresh", json=body)
    assert_problem(await api.post("/v1/sessions/refresh", json=body), 401, "refresh_token_invalid")
    return httpx.Response(200)


async def end_all_sessions(api: API, _database: Postgres, _email: str, session: Session) -> httpx.Response:
    return await api.post("/v1/sessions/logout-everywhere", headers=headers_of(session))


async def change_password(api: API, _database: Postgres, _email: str, session: Session) -> httpx.Response:
    body = {"current_password": PASSWORD, "new_password": f"{PASSWORD} staple"}
    return await api.post(f"{ME}/password-changes", json=body, headers=headers_of(session))


async def reset_password(api: API, database: Postgres, email: str, _session: Session) -> httpx.Response:
    await api.post("/v1/password-reset-mails", json={"email": email})
    requested: Any = (await published_events(database, email))[-1]
    body = {"token": mailed_token(requested.reset, "reset"), "new_password": f"{PASSWORD} staple"}
    return await api.post("/v1/password-resets", json=body)


async def deactivate_own(api: API, _database: Postgres, _email: str, session: Session) -> httpx.Response:
    return await deactivate(api, headers_of(session))


async def deactivate_by_staff(api: API, database: Postgres, email: str, _session: Session) -> httpx.Response:
    account = await stored_account(database, email)
    return await api.post(f"/v1/customers/{account.id}/deactivate", headers=bearer(role="staff"))


async def erase_account(api: API, _database: Postgres, _email: str, session: Session) -> httpx.Response:
    return await erase(api, headers_of(session))


EVERY_SESSION: list[Revoke] = [
    *(end_all_sessions, change_password, reset_password, deactivate_own, deactivate_by_staff, erase_account),
]
ONE_SESSION: list[Revoke] = [end_session, reuse_refresh_token]


@pytest.mark.parametrize("revoke", [*EVERY_SESSION, *ONE_SESSION], ids=lambda revoke: revoke.__name__)
async def test_access_tokens_are_refused_at_once(api: API, shared: Postgres, revoke: Revoke) -> None:
    email = await register_customer(api)
    session, other = await open_session(api, email), await open_session(api, email)
    headers = headers_of(session)
    assert (await api.get(ME, headers=headers)).status_code == 200
    assert (await revoke(api, shared, email, session)).is_success
    for response in (
        await api.get(ME, headers=headers),
        await api.patch(ME, json={"name": "Eve"}, headers=headers | {"If-Match": "*"}),
    ):
        assert "revoked" in assert_problem(response, 401, "unauthenticated")["detail"]
    others = await api.get(ME, headers=headers_of(other))
    assert others.status_code == (200 if revoke in ONE_SESSION else 401)


@pytest.mark.parametrize("revoke", EVERY_SESSION, ids=lambda revoke: revoke.__name__)
async def test_the_list_names_accounts_with_their_new_epoch(api: API, shared: Postgres, revoke: Revoke) -> None:
    email = await register_customer(api)
    account = await stored_account(shared, email)
    session = await open_session(api, email)
    assert digest(account.id) not in (await api.get(LIST)).json()["accounts"]
    await revoke(api, shared, email, session)
    response = await api.get(LIST)
    epoch = EVERY_EPOCH if revoke is erase_account else 1
    assert response.json()["accounts"][digest(account.id)] == epoch
    assert str(account.id) not in response.text


@pytest.mark.parametrize("revoke", ONE_SESSION, ids=lambda revoke: revoke.__name__)
async def test_the_list_names_sessions_that_were_ended(api: API, shared: Postgres, revoke: Revoke) -> None:
    email = await register_customer(api)
    before = set((await api.get(LIST)).json()["sessions"])
    session = await open_session(api, email)
    await revoke(api, shared, email, session)
    body = (await api.get(LIST)).json()
    assert len(set(body["sessions"]) - before) == 1
    assert digest((await stored_account(shared, email)).id) not in body["accounts"]


async def test_a_new_log_in_gets_tokens_of_the_new_epoch(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    await end_all_sessions(api, shared, email, await open_session(api, email))
    session = await open_session(api, email)
    assert (await api.get(ME, headers=headers_of(session))).status_code == 200
    refreshed = (await api.post("/v1/sessions/refresh", json={"refresh_token": session["refresh_token"]})).json()
    assert (await api.get(ME, headers=headers_of(refreshed))).status_code == 200
    assert len(await published_events(shared, email)) == 1, "the customer's version has not changed"


async def test_the_list_forgets_what_revokes_no_token_any_more(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    await end_all_sessions(api, shared, email, await open_session(api, email))
    account = await stored_account(shared, email)
    assert digest(account.id) in (await revoked_tokens(shared, 60)).accounts
    async with shared.reading() as connection:
        earlier = accounts.c.epoch_changed_at - sa.func.make_interval(0, 0, 0, 0, 0, 0, 61)
        its_row = accounts.c.id == account.id
        await connection.execute(sa.update(accounts).where(its_row).values(epoch_changed_at=earlier))
    assert digest(account.id) not in (await revoked_tokens(shared, 60)).accounts


async def test_the_list_is_read_once_a_second_however_many_ask_for_it(
    api: API, shared: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifier, "CACHE_SECONDS", 60.0)
    reads: list[float] = []

    async def counted(database: Postgres, seconds: float) -> Any:
        reads.append(seconds)
        return await revoked_tokens(database, seconds)

    monkeypatch.setattr("customer_svc.tokens.queries.revoked_tokens", counted)
    listed = verifier.RevocationList(shared, 900)
    for _ in range(20):
        await listed.read()
    assert len(reads) == 1
    assert reads[0] > 900


async def test_a_token_does_not_outlive_its_session(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    session = await open_session(api, email)
    account = await stored_account(shared, email)
    async with shared.reading() as connection:
        soon = sa.text("UPDATE sessions SET ends_at = now() + interval '30 s' WHERE account_id = :id")
        await connection.execute(soon, {"id": UUID(str(account.id))})
    refreshed = (await api.post("/v1/sessions/refresh", json={"refresh_token": session["refresh_token"]})).json()
    assert 0 < refreshed["expires_in"] <= 30


async def test_the_next_and_the_previous_key_are_published_beside_the_one_that_signs(
    shared_url: str, key_file: Path, tmp_path: Path
) -> None:
    files = {name: tmp_path / f"{name}.pem" for name in ("jwt_next_public_key_file", "jwt_previous_public_key_file")}
    keys = [OKPKey.generate_key("Ed25519") for _ in files]
    for path, key in zip(files.values(), keys, strict=True):
        path.write_bytes(key.as_pem(private=False))
    async with checked_client(build(settings(shared_url, key_file, **files))) as api:
        published = (await api.get("/.well-known/jwks.json")).json()["keys"]
        session = await open_session(api, await register_customer(api))
        assert (await api.get(ME, headers=headers_of(session))).status_code == 200
    assert [one["kid"] for one in published[1:]] == [key.thumbprint() for key in keys]
    assert [one.keys() & {"d"} for one in published] == [set()] * 3
