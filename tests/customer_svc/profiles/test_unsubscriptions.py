"""Unsubscribing by a link in a mail, without a log-in."""

from uuid import UUID

import pytest
from pydantic import SecretStr
from uuid_utils.compat import uuid7

from chassis.link_tokens import unsubscribe_token
from chassis.persistence.postgres.database import Postgres
from chassis.testing import LINK_KEY
from schemas import ProfileChanged
from tests.customer_svc.factories import API, ME, log_in_headers, published_events, register_customer, stored_account
from tests.responses import assert_problem, malformed_fields

UNSUBSCRIPTIONS = "/v1/unsubscriptions"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def token_of(customer_id: UUID) -> str:
    return unsubscribe_token(SecretStr(LINK_KEY), customer_id)


async def test_the_page_unsubscribes_with_the_token_alone_and_once(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    customer = await stored_account(shared, email)
    for _ in range(2):
        assert (await api.post(UNSUBSCRIPTIONS, json={"token": token_of(customer.id)})).status_code == 204
    changed = [one for one in await published_events(shared, email) if isinstance(one, ProfileChanged)]
    assert [(one.order_updates, one.marketing) for one in changed] == [(False, False)]
    me = (await api.get(ME, headers=await log_in_headers(api, email))).json()
    assert me["order_updates"] is False


@pytest.mark.parametrize(
    ("headers", "content"),
    [(FORM, b"List-Unsubscribe=One-Click"), ({"Content-Type": "multipart/form-data"}, b"x"), ({}, b"")],
)
async def test_a_mail_program_unsubscribes_with_one_click(
    api: API, shared: Postgres, headers: dict[str, str], content: bytes
) -> None:
    """RFC 8058 §3.2: the request has no cookies, and the response is no redirect."""
    email = await register_customer(api)
    customer = await stored_account(shared, email)
    url = f"/unsubscribe?token={token_of(customer.id)}"
    response = await api.post(url, content=content, headers=headers)
    assert (response.status_code, response.content) == (204, b"")
    assert (await stored_account(shared, email)).order_updates is False


async def test_to_open_the_link_changes_nothing(api: API, shared: Postgres) -> None:
    """Mail scanners do."""
    email = await register_customer(api)
    customer = await stored_account(shared, email)
    response = await api.get(f"/unsubscribe?token={token_of(customer.id)}")
    assert response.headers["content-type"].startswith("text/html")
    assert (await stored_account(shared, email)).order_updates is True


async def test_a_deactivated_customer_can_unsubscribe(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    await api.post(f"{ME}/deactivate", headers=await log_in_headers(api, email))
    customer = await stored_account(shared, email)
    assert (await api.post(UNSUBSCRIPTIONS, json={"token": token_of(customer.id)})).status_code == 204
    assert (await stored_account(shared, email)).order_updates is False


async def test_the_token_of_an_account_that_is_gone_is_taken(api: API) -> None:
    assert (await api.post(UNSUBSCRIPTIONS, json={"token": token_of(uuid7())})).status_code == 204


FORGED = unsubscribe_token(SecretStr("another key, for other tests only"), UUID(int=1))


@pytest.mark.parametrize("token", ["x", "x" * 65, FORGED])
async def test_another_token_is_refused(api: API, token: str) -> None:
    assert_problem(await api.post(UNSUBSCRIPTIONS, json={"token": token}), 409, "link_invalid")
    assert (await api.post("/unsubscribe", params={"token": token})).status_code == 409
    assert malformed_fields(await api.post("/unsubscribe")) == {"query/token"}
