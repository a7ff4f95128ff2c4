"""Customers, and what they send and receive, for the tests of customer_svc."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import sqlalchemy as sa
from pydantic import SecretStr
from uuid_utils.compat import uuid7

from chassis.email_address import normalised_email
from chassis.link_tokens import Purpose, link_token
from chassis.persistence.postgres.database import Postgres
from chassis.testing import LINK_KEY, AppClient
from customer_svc.accounts.domain import Account
from customer_svc.accounts.queries import account_by_email
from customer_svc.accounts.store import accounts
from customer_svc.settings import Settings
from customer_svc.staff.bootstrap import Settings as BootstrapSettings
from customer_svc.staff.bootstrap import appoint_staff
from customer_svc.staff.domain import StaffRole
from schemas import Event, MailedLink
from tests.outbox import events

API = httpx.AsyncClient
Headers = dict[str, str]
PASSWORD, WRONG_PASSWORD = "correct horse battery", "wrong horse battery"
ME, ADDRESSES = "/v1/customers/me", "/v1/customers/me/addresses"
ADDRESS = {"name": "Ada", "street": "12 St James's Square", "city": "London", "postal_code": "SW1Y", "country": "GB"}


def settings(postgres_url: str, key_file: Path, **changes: Any) -> Settings:
    # All the customers of a module register from the same network address.
    changes = {"register_tries_per_address": 1_000_000} | changes
    values = {"postgres_url": postgres_url, "jwt_private_key_file": key_file, "link_key": LINK_KEY}
    values |= dict.fromkeys(("order_url", "notifier_url"), "http://127.0.0.1:9")
    return Settings.model_validate(values | {"kafka_bootstrap_servers": "nobody:9092"} | changes)


def new_email() -> str:
    return f"ada-{uuid7()}@example.com"


def registration_body(email: str, **changes: Any) -> dict[str, Any]:
    return {"email": email, "password": PASSWORD, "name": "Ada Lovelace"} | changes


async def register(api: API, email: str | None = None, **changes: Any) -> str:
    """Register a customer, whose e-mail address is not verified yet; return the address."""
    email = email or new_email()
    response = await api.post("/v1/customers", json=registration_body(email, **changes))
    assert response.status_code == 202, response.text
    return email


async def register_customer(api: API, **changes: Any) -> str:
    """Register a customer whose e-mail address is verified; return the address.

    It is verified as by a link that was used, but without the event that this causes.
    """
    email = await register(api, **changes)
    assert isinstance(api, AppClient)
    await verify_silently(api.app.state.container.database, email)
    return email


async def verify_silently(database: Postgres, email: str) -> None:
    """Make an e-mail address a verified one, without an event."""
    async with database.reading() as connection:
        await connection.execute(
            sa.update(accounts).where(accounts.c.email == normalised_email(email)).values(verified_at=sa.func.now())
        )


async def log_in(api: API, email: str, password: str = PASSWORD) -> httpx.Response:
    return await api.post("/v1/sessions", json={"email": email, "password": password})


async def log_in_headers(api: API, email: str, password: str = PASSWORD) -> Headers:
    """Log in; return the header that authenticates further requests."""
    response = await log_in(api, email, password)
    assert response.status_code == 201, response.text
    return {"Authorization": f"Bearer {response.json()['access_token']}"}


async def new_customer(api: API, **changes: Any) -> Headers:
    """Register and verify a customer, and log in; return the header that authenticates further requests."""
    return await log_in_headers(api, await register_customer(api, **changes), changes.get("password", PASSWORD))


async def new_staff(postgres_url: str, email: str, role: StaffRole = "staff") -> Account:
    settings = BootstrapSettings.model_validate({"postgres_url": postgres_url, "bootstrap_password": PASSWORD})
    return await appoint_staff(settings, email, role)


async def change_profile(
    api: API, headers: Headers, changes: Mapping[str, Any], tag: str | None = "*"
) -> httpx.Response:
    return await api.patch(ME, json=changes, headers=headers | ({"If-Match": tag} if tag else {}))


async def add_address(api: API, headers: Headers, *uses: str, **changes: str) -> httpx.Response:
    response = await api.post(ADDRESSES, json=ADDRESS | changes | {"default_for": uses}, headers=headers)
    assert response.status_code == 201, response.text
    return response


async def deactivate(api: API, headers: Headers) -> httpx.Response:
    return await api.post(f"{ME}/deactivate", headers=headers)


async def reactivate(api: API, headers: Headers) -> httpx.Response:
    return await api.post(f"{ME}/reactivate", headers=headers)


async def erase(api: API, headers: Headers, password: str = PASSWORD) -> httpx.Response:
    return await api.post("/v1/erasures", json={"password": password}, headers=headers)


async def stored_account(database: Postgres, email: str) -> Account:
    found = await account_by_email(database, email)
    assert found
    return found


async def published_events(database: Postgres, email: str) -> list[Event]:
    """The events about the account with an e-mail address."""
    return await events(database, (await stored_account(database, email)).id)


def mailed_token(link: MailedLink | None, purpose: Purpose) -> str:
    """The token in the mail about an event, made as notifier_svc makes it."""
    assert link
    return link_token(SecretStr(LINK_KEY), purpose, UUID(str(link.link_id)))
