"""Changes of e-mail addresses, for tests: requests, and the tokens of the links that are mailed."""

from datetime import UTC, datetime
from uuid import UUID

import httpx
import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from customer_svc.links.store import links
from customer_svc.totp.domain import code_at
from customer_svc.totp.store import totps
from schemas import EmailChanged, EmailChangeRequested, Event
from tests.customer_svc.factories import (
    API,
    ME,
    PASSWORD,
    Headers,
    log_in_headers,
    mailed_token,
    stored_account,
)
from tests.outbox import events

REQUESTS = f"{ME}/email-changes"
CONFIRMATIONS, REVERSALS = "/v1/email-change-confirmations", "/v1/email-change-reversals"
OTHER = "another horse, another battery"


async def request_change(
    api: API, headers: Headers, email: str, password: str = PASSWORD, **more: str
) -> httpx.Response:
    return await api.post(REQUESTS, json={"email": email, "password": password} | more, headers=headers)


async def confirm(api: API, token: str) -> httpx.Response:
    return await api.post(CONFIRMATIONS, json={"token": token})


async def revert(api: API, token: str, password: str = OTHER) -> httpx.Response:
    return await api.post(REVERSALS, json={"token": token, "new_password": password})


async def account_id(database: Postgres, email: str) -> UUID:
    return (await stored_account(database, email)).id


async def change_token(database: Postgres, account: UUID) -> str:
    """The token in the last mail to a new address."""
    requested = [one for one in await events(database, account) if isinstance(one, EmailChangeRequested)]
    return mailed_token(requested[-1].change, "change")


async def revert_tokens(database: Postgres, account: UUID) -> list[str]:
    """The tokens in the mails to the old addresses."""
    changes = [one for one in await events(database, account) if isinstance(one, EmailChanged)]
    return [mailed_token(one.revert, "revert") for one in changes]


async def change(api: API, database: Postgres, email: str, other: str, password: str = PASSWORD) -> UUID:
    """Change the address of an account; return the id of the account."""
    account = await account_id(database, email)
    headers = await log_in_headers(api, email, password)
    assert (await request_change(api, headers, other, password)).status_code == 202
    assert (await confirm(api, await change_token(database, account))).status_code == 204
    return account


async def kinds_of(database: Postgres, account: UUID) -> list[type[Event]]:
    return [type(one) for one in await events(database, account)]


async def let_the_link_expire(database: Postgres, account: UUID, purpose: str) -> None:
    async with database.reading() as connection:
        expired = links.update().where(links.c.account_id == account, links.c.purpose == purpose)
        await connection.execute(expired.values(expires_at=sa.func.now() - sa.text("interval '1 second'")))


async def enrol(api: API, email: str) -> str:
    """Protect an account by one-time codes; return the secret."""
    credentials = {"email": email, "password": PASSWORD}
    secret: str = (await api.post("/v1/totp/enrolments", json=credentials)).json()["secret"]
    body = credentials | {"code": code_at(secret, datetime.now(UTC))}
    assert (await api.post("/v1/totp/confirmations", json=body)).status_code == 200
    return secret


async def let_the_code_count_again(database: Postgres, account: UUID) -> None:
    async with database.reading() as connection:
        await connection.execute(sa.update(totps).where(totps.c.account_id == account).values(last_step=0))
