"""A request does the same work whether or not there is an account: the same hashes, statements and transactions.

The tests compare the work and not the time, which varies too much on a shared machine. Only statements inside of one
transaction differ; responses that wait for it take a minimum time (``customer_svc.accounts.response_timing``).
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction
from customer_svc.passwords.hasher import PasswordHasher
from tests.customer_svc.factories import (
    API,
    PASSWORD,
    WRONG_PASSWORD,
    deactivate,
    log_in,
    log_in_headers,
    new_email,
    new_staff,
    register,
    register_customer,
    registration_body,
)


@pytest.fixture
def work(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the service does, in order: statements by their text, and \"hash\" and \"transaction\"."""
    done: list[str] = []
    matches, hash_, transaction = PasswordHasher.matches, PasswordHasher.hash, Postgres.transaction

    async def recorded_match(self: PasswordHasher, password: str, stored: str | None) -> bool:
        done.append("hash")
        return await matches(self, password, stored)

    async def recorded_hash(self: PasswordHasher, password: str) -> str:
        done.append("hash")
        return await hash_(self, password)

    @asynccontextmanager
    async def recorded_transaction(self: Postgres) -> AsyncIterator[PipelinedTransaction]:
        done.append("transaction")
        async with transaction(self) as tx:
            yield tx

    def record(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        done.append(statement)

    monkeypatch.setattr(PasswordHasher, "matches", recorded_match)
    monkeypatch.setattr(PasswordHasher, "hash", recorded_hash)
    monkeypatch.setattr(Postgres, "transaction", recorded_transaction)
    engine = app.state.container.database.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", record)
    yield done
    sa.event.remove(engine, "before_cursor_execute", record)


@pytest.fixture
async def emails(api: API, shared_url: str) -> dict[str, str]:
    """E-mail emails with all kinds of accounts, and one without an account."""
    deactivated, staff = await register_customer(api), new_email()
    await deactivate(api, await log_in_headers(api, deactivated))
    await new_staff(shared_url, staff)
    known, unverified = await register_customer(api), await register(api)
    return {
        "unknown": new_email(),
        "known": known,
        "unverified": unverified,
        "deactivated": deactivated,
        "staff": staff,
    }


async def work_of(request: Any, work: list[str]) -> list[str]:
    """What is done for a request."""
    work.clear()
    response: httpx.Response = await request
    assert response.status_code in (202, 401)
    return work.copy()


async def test_a_log_in_with_a_wrong_password_does_the_same_work_for_every_email_address(
    api: API, work: list[str], emails: dict[str, str]
) -> None:
    found = {name: await work_of(log_in(api, email, WRONG_PASSWORD), work) for name, email in emails.items()}
    assert found == dict.fromkeys(emails, found["unknown"])
    assert [kind for kind in found["unknown"] if kind in ("hash", "transaction")] == ["hash"]


async def test_a_log_in_after_a_registration_does_the_same_work_whether_or_not_there_was_an_account(
    api: API, work: list[str], emails: dict[str, str]
) -> None:
    found = {}
    for name in ("unknown", "known", "unverified"):
        await register(api, emails[name], password=WRONG_PASSWORD)
        found[name] = await work_of(log_in(api, emails[name], WRONG_PASSWORD), work)
    assert found == dict.fromkeys(found, found["unknown"])


async def test_a_password_reset_request_does_the_same_work_for_every_email_address(
    api: API, work: list[str], emails: dict[str, str]
) -> None:
    # Also the second time, when no mail is sent.
    for _ in range(2):
        found = {
            name: await work_of(api.post("/v1/password-reset-mails", json={"email": email}), work)
            for name, email in emails.items()
        }
        assert found == dict.fromkeys(emails, found["unknown"])
        assert [kind for kind in found["unknown"] if kind in ("hash", "transaction")] == ["transaction"]


async def test_a_registration_does_the_same_work_for_every_email_address(
    api: API, work: list[str], emails: dict[str, str]
) -> None:
    found = {
        name: await work_of(api.post("/v1/customers", json=registration_body(email)), work)
        for name, email in emails.items()
    }
    assert found == dict.fromkeys(emails, found["unknown"])
    assert [kind for kind in found["unknown"] if kind in ("hash", "transaction")] == ["hash", "transaction"]


async def test_a_request_for_another_address_does_the_same_work_for_every_email_address(
    api: API, work: list[str], emails: dict[str, str]
) -> None:
    found = {}
    for name, email in emails.items():
        headers = await log_in_headers(api, await register_customer(api))
        body = {"email": email, "password": PASSWORD}
        found[name] = await work_of(api.post("/v1/customers/me/email-changes", json=body, headers=headers), work)
    assert found == dict.fromkeys(emails, found["unknown"])
    assert [kind for kind in found["unknown"] if kind in ("hash", "transaction")] == ["hash", "transaction"]
