"""Mails that staff send again."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from notifier_svc.mails.domain import mail_id
from tests import bad_inputs
from tests.notifier_svc.apps import Sending
from tests.notifier_svc.factories import cancelled, link, registered
from tests.notifier_svc.ledger import (
    add_suppression,
    all_mails,
    all_suppressions,
    erase_customer,
    handle_events,
    queue_due_mail,
    read_mail,
    update_mail,
    wait_for_states,
)
from tests.notifier_svc.smtp_server import smtp_server
from tests.responses import accepted_bodies, accepted_tokens, accepted_values, assert_problem, malformed_fields

API = httpx.AsyncClient
STAFF = bearer(role="staff")


def path(one: UUID) -> str:
    return f"/v1/notifications/{one}/resend"


def keyed(key: str = "k", who: dict[str, str] | None = None) -> dict[str, str]:
    return {**(who or STAFF), "Idempotency-Key": key}


async def resend(api: API, one: UUID, to: str | None = None, key: str = "k") -> dict[str, Any]:
    response = await api.post(path(one), json={"to": to} if to else None, headers=keyed(key))
    assert response.status_code == 202, response.text
    resent: dict[str, Any] = response.json()
    assert response.headers["location"] == f"/v1/notifications/{resent['id']}"
    return resent


async def finished_mail(database: Postgres, state: str = "sent") -> UUID:
    """A mail in a final state."""
    one = await queue_due_mail(database)
    await update_mail(database, one, f"state = '{state}'")
    return one


async def test_each_key_sends_a_mail_once_more_to_the_address_that_staff_give(
    postgres: Postgres, sending: Sending, postgres_api: API
) -> None:
    one = await finished_mail(postgres)
    first = await resend(postgres_api, one, "Correct@Example.com")
    again = await postgres_api.post(path(one), json={"to": "correct@example.com"}, headers=keyed())
    assert (again.status_code, again.json(), again.headers["idempotency-replayed"]) == (202, first, "true")
    assert_problem(await postgres_api.post(path(one), headers=keyed()), 422, "idempotency_key_reused")
    second = await resend(postgres_api, one, key="another")
    assert (first["recipient"], second["recipient"]) == ("correct@example.com", None)
    assert {first["resend_of"], second["resend_of"]} == {str(one)}
    async with smtp_server() as server, sending(server.url):
        await wait_for_states(postgres, ["sent"] * 3)
    assert sorted(server.recipients) == ["ada@example.com", "correct@example.com"]
    assert len(set(server.message_ids)) == 2
    assert f"<{one}@shopstream.example>" not in server.message_ids


async def test_only_mails_in_a_final_state_can_be_resent(api: API, shared: Postgres) -> None:
    assert_problem(await api.post(path(await queue_due_mail(shared)), headers=keyed()), 409, "mail_in_progress")
    assert_problem(await api.post(path(uuid7()), headers=keyed()), 404, "notification_not_found")


async def welcome_mail(database: Postgres, state: str, good_for: timedelta = timedelta(hours=1)) -> UUID:
    customer_id, verify = uuid7(), link(good_for)
    await handle_events(database, registered(customer_id, verify=verify))
    welcome = mail_id("welcome", customer_id, str(verify.link_id))
    await update_mail(database, welcome, f"state = '{state}'")
    return welcome


async def test_a_failed_mail_about_an_account_is_sent_again_to_its_customer(
    postgres: Postgres, sending: Sending, postgres_api: API
) -> None:
    welcome = await welcome_mail(postgres, "failed")
    resent = await resend(postgres_api, welcome)
    assert (resent["resend_of"], resent["recipient"]) == (str(welcome), None)
    async with smtp_server() as server, sending(server.url):
        await wait_for_states(postgres, ["failed", "sent"])
    assert server.recipients == ["ada@example.com"]
    [message] = server.messages
    assert message["Message-ID"] == f"<{resent['id']}@shopstream.example>"


async def test_a_mail_that_may_open_an_account_goes_to_nobody_else_and_not_twice(api: API, shared: Postgres) -> None:
    failed, sent = [await welcome_mail(shared, state) for state in ("failed", "sent")]
    elsewhere = await api.post(path(failed), json={"to": "eve@example.com"}, headers=keyed())
    assert_problem(elsewhere, 409, "mail_not_resendable")
    assert_problem(await api.post(path(sent), headers=keyed()), 409, "mail_not_resendable")
    expired = await welcome_mail(shared, "failed", -timedelta(seconds=1))
    assert_problem(await api.post(path(expired), headers=keyed()), 409, "mail_link_expired")
    assert [one for one in await all_mails(shared) if one.resend_of in (failed, sent, expired)] == []


async def test_mails_to_an_erased_customer_are_not_resent_and_their_addresses_are_removed(
    postgres: Postgres, sending: Sending, postgres_api: API
) -> None:
    customer_id, order_id = uuid7(), uuid7()
    one = mail_id("cancelled", customer_id, str(order_id))
    await handle_events(postgres, registered(customer_id), cancelled(customer_id, order_id))
    await update_mail(postgres, one, "state = 'sent'")
    resent = await resend(postgres_api, one, "ada@work.example")
    for email in ("ada@example.com", "ada@work.example", "grace@example.com"):
        await add_suppression(postgres, email)
    await erase_customer(postgres, customer_id)
    assert [one.email for one in await all_suppressions(postgres)] == ["grace@example.com"]
    assert (await read_mail(postgres, UUID(resent["id"]))).recipient is None
    assert_problem(await postgres_api.post(path(one), headers=keyed("2")), 409, "mail_not_resendable")
    # Even if a request that arrived just before the erasure is written after it.
    await update_mail(postgres, UUID(resent["id"]), "recipient = 'ada@work.example'")
    async with smtp_server() as server, sending(server.url):
        await wait_for_states(postgres, ["sent", "failed"])
    assert server.recipients == []


async def test_only_staff_can_resend(api: API) -> None:
    route = path(UUID(int=1))
    assert await accepted_tokens(api, "POST", route, bad_inputs.bad_tokens()) == []
    for role in ("customer", "ops"):
        assert_problem(await api.post(route, headers=keyed(who=bearer(role=role))), 403, "forbidden")


async def test_a_malformed_body_or_key_is_refused(api: API, shared: Postgres) -> None:
    one = await finished_mail(shared)
    body = {"to": "ada@example.com"}
    bad = [*bad_inputs.invalid_bodies(body), *((name, sent, ()) for name, sent in bad_inputs.NOT_AN_OBJECT.items())]
    found = await accepted_bodies(api, path(one), ((name, sent) for name, sent, _ in bad), keyed())
    # Without a body, or without an address in it, the mail is sent to its customer.
    assert found == ["to='None': 202", "nothing: 202", "null: 202", "a byte order mark: 202"]
    for key in ("", " ", "a b", "x" * 256):
        malformed_fields(await api.post(path(one), headers={**STAFF, "Idempotency-Key": key}))
    assert malformed_fields(await api.post(path(one), headers=STAFF)) == {"header/idempotency-key"}
    api.headers.update(keyed())
    assert await accepted_values(api, "POST", "/v1/notifications/{}/resend", bad_inputs.NOT_A_UUID) == []
    for name in keyed():
        del api.headers[name]
