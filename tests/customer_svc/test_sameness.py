"""Whether there is an account does not show in what an answer costs: the same hashes, statements and transactions.

Not by the clock: how long something takes, on a machine that is shared, says little of what was done. What differs
is inside of one transaction, and answers that wait for that one take their time (see ``needs.unhurried``).
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
from customer_svc.bootstrap import Settings as BootstrapSettings
from customer_svc.bootstrap import appoint_account
from customer_svc.passwords import Passwords
from tests.customer_svc.people import API, PASSWORD, log_in, logged_in, new_email, registered, registration

WRONG = "wrong horse battery"


@pytest.fixture
def work(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the service does, in order: statements, and by their names hashes and transactions."""
    done: list[str] = []
    matches, hashed, transaction = Passwords.matches, Passwords.hashed, Postgres.transaction

    async def noted_match(self: Passwords, password: str, stored: str | None) -> bool:
        done.append("hash")
        return await matches(self, password, stored)

    async def noted_hash(self: Passwords, password: str) -> str:
        done.append("hash")
        return await hashed(self, password)

    @asynccontextmanager
    async def noted_transaction(self: Postgres) -> AsyncIterator[PipelinedTransaction]:
        done.append("transaction")
        async with transaction(self) as tx:
            yield tx

    def note(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        done.append(statement)

    monkeypatch.setattr(Passwords, "matches", noted_match)
    monkeypatch.setattr(Passwords, "hashed", noted_hash)
    monkeypatch.setattr(Postgres, "transaction", noted_transaction)
    engine = app.state.container.database.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", note)
    yield done
    sa.event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
async def addresses(api: API, shared_url: str) -> dict[str, str]:
    """Addresses with an account, whatever it is like, and one without."""
    left, staff = await registered(api), new_email()
    await api.post("/v1/customers/me/deactivate", headers=await logged_in(api, left))
    await appoint_account(BootstrapSettings(postgres_url=shared_url, bootstrap_password=PASSWORD), staff, "staff")
    return {"unknown": new_email(), "known": await registered(api), "left": left, "staff": staff}


async def costs(work: list[str], answer: Any) -> list[str]:
    """What is done until there is an answer."""
    work.clear()
    answered: httpx.Response = await answer
    assert answered.status_code in (202, 401)
    return work.copy()


async def test_a_wrong_password_costs_the_same_whoever_has_the_address(
    api: API, work: list[str], addresses: dict[str, str]
) -> None:
    found = {name: await costs(work, log_in(api, email, WRONG)) for name, email in addresses.items()}
    assert found == dict.fromkeys(addresses, found["unknown"])
    assert [kind for kind in found["unknown"] if kind in ("hash", "transaction")] == ["hash"]


async def test_a_forgotten_password_costs_the_same_whoever_has_the_address(
    api: API, work: list[str], addresses: dict[str, str]
) -> None:
    # A second time as well: no mail is sent then.
    for _ in range(2):
        found = {
            name: await costs(work, api.post("/v1/password-reset-mails", json={"email": email}))
            for name, email in addresses.items()
        }
        assert found == dict.fromkeys(addresses, found["unknown"])
        assert [kind for kind in found["unknown"] if kind in ("hash", "transaction")] == ["transaction"]


async def test_a_registration_costs_the_same_whoever_has_the_address(
    api: API, work: list[str], addresses: dict[str, str]
) -> None:
    found = {
        name: await costs(work, api.post("/v1/customers", json=registration(email)))
        for name, email in addresses.items()
    }
    assert found == dict.fromkeys(addresses, found["unknown"])
    assert [kind for kind in found["unknown"] if kind in ("hash", "transaction")] == ["hash", "transaction"]
