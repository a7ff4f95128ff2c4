"""Customers as the tests of customer_svc make them, and the links that they would find in their mail."""

from typing import Any
from uuid import UUID

import httpx
from pydantic import SecretStr
from uuid_utils.compat import uuid7

from chassis.link_tokens import Purpose, link_token
from chassis.persistence.postgres.database import Postgres
from chassis.testing import LINK_KEY
from customer_svc import queries
from customer_svc.domain.account import Account
from schemas import Event, MailedLink
from tests.outbox import events

API = httpx.AsyncClient
PASSWORD = "correct horse battery"


def new_email() -> str:
    return f"ada-{uuid7()}@example.com"


def registration(email: str, **changes: Any) -> dict[str, Any]:
    return {"email": email, "password": PASSWORD, "name": "Ada Lovelace"} | changes


async def registered(api: API, **changes: Any) -> str:
    """The address of a new customer."""
    email = new_email()
    answer = await api.post("/v1/customers", json=registration(email, **changes))
    assert answer.status_code == 202, answer.text
    return email


async def log_in(api: API, email: str, password: str = PASSWORD) -> httpx.Response:
    return await api.post("/v1/sessions", json={"email": email, "password": password})


async def logged_in(api: API, email: str, password: str = PASSWORD) -> dict[str, str]:
    """The header of somebody who has logged in."""
    answer = await log_in(api, email, password)
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def newcomer(api: API, **changes: Any) -> dict[str, str]:
    """The header of a new customer."""
    return await logged_in(api, await registered(api, **changes), changes.get("password", PASSWORD))


async def account(database: Postgres, email: str) -> Account:
    found = await queries.account_by_email(database, email)
    assert found
    return found


async def told_of(database: Postgres, email: str) -> list[Event]:
    """Everything that was told of the account with an address."""
    return await events(database, (await account(database, email)).id)


def token_of(link: MailedLink | None, purpose: Purpose) -> str:
    """What the mail about an event would carry, made as notifier_svc makes it."""
    assert link
    return link_token(SecretStr(LINK_KEY), purpose, UUID(str(link.link_id)))
