"""Mails that staff send again, and addresses that staff have tried again."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer, enveloped, record
from notifier_svc.domain import mail_id
from schemas import CustomerErased
from tests import hostile
from tests.answers import believed, malformed_at, refused, survivors, undescribed
from tests.notifier_svc.conftest import Sending
from tests.notifier_svc.ledger import (
    all_mails,
    cancelled,
    change,
    consumer,
    due_mail,
    hear,
    link,
    mail,
    registered,
    suppressed,
    until,
)
from tests.notifier_svc.postoffice import post_office

API = httpx.AsyncClient
STAFF = bearer(role="staff")
SUPPRESSIONS = "/v1/suppressions"


def path(one: UUID) -> str:
    return f"/v1/notifications/{one}/resend"


def keyed(key: str = "k", who: dict[str, str] | None = None) -> dict[str, str]:
    return {**(who or STAFF), "Idempotency-Key": key}


async def resend(api: API, one: UUID, to: str | None = None, key: str = "k") -> dict[str, Any]:
    answer = await api.post(path(one), json={"to": to} if to else None, headers=keyed(key))
    assert answer.status_code == 202, answer.text
    made: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/notifications/{made['id']}"
    return made


async def ended(database: Postgres, state: str = "sent") -> UUID:
    """A mail that has ended so."""
    one = await due_mail(database)
    await change(database, one, f"state = '{state}'")
    return one


async def suppression(database: Postgres, email: str = "ada@example.com") -> UUID:
    """The id of an entry in the list."""
    entry = uuid7()
    async with database.reading() as connection:
        await connection.exec_driver_sql(
            f"INSERT INTO suppressions (email, mail_id, reason, since) VALUES ('{email}', '{entry}', '550', now())"
        )
    return entry


async def test_a_mail_is_sent_once_more_for_each_key_to_the_address_that_staff_give(
    postgres: Postgres, sending: Sending, postgres_api: API
) -> None:
    one = await ended(postgres)
    first = await resend(postgres_api, one, "Correct@Example.com")
    again = await postgres_api.post(path(one), json={"to": "correct@example.com"}, headers=keyed())
    assert (again.status_code, again.json(), again.headers["idempotency-replayed"]) == (202, first, "true")
    refused(await postgres_api.post(path(one), headers=keyed()), 422, "idempotency_key_reused")
    second = await resend(postgres_api, one, key="another")
    assert (first["recipient"], second["recipient"]) == ("correct@example.com", None)
    assert {first["resend_of"], second["resend_of"]} == {str(one)}
    async with post_office() as office, sending(office.url):
        await until(postgres, ["sent"] * 3)
    assert sorted(office.recipients) == ["ada@example.com", "correct@example.com"]
    assert len(set(office.ids)) == 2
    assert f"<{one}@shopstream.example>" not in office.ids


async def test_only_what_has_ended_and_is_about_an_order_is_sent_again(api: API, shared: Postgres) -> None:
    refused(await api.post(path(await due_mail(shared)), headers=keyed()), 409, "mail_not_ended")
    customer_id, verify = uuid7(), link()
    await hear(shared, registered(customer_id, verify=verify))
    welcome = mail_id("welcome", customer_id, str(verify.link_id))
    await change(shared, welcome, "state = 'failed'")
    stolen = await api.post(path(welcome), json={"to": "eve@example.com"}, headers=keyed())
    refused(stolen, 409, "mail_not_resendable")
    assert len([one for one in await all_mails(shared) if one.resend_of]) == 0
    refused(await api.post(path(uuid7()), headers=keyed()), 404, "notification_unknown")


async def test_a_forgotten_customers_mail_is_not_sent_again_nor_where_it_was_to_go(
    postgres: Postgres, sending: Sending, postgres_api: API
) -> None:
    customer_id, order_id = uuid7(), uuid7()
    one = mail_id("cancelled", customer_id, str(order_id))
    await hear(postgres, registered(customer_id), cancelled(customer_id, order_id))
    await change(postgres, one, "state = 'sent'")
    made = await resend(postgres_api, one, "ada@work.example")
    for email in ("ada@example.com", "ada@work.example", "grace@example.com"):
        await suppression(postgres, email)
    await consumer(postgres).handle([record(enveloped(CustomerErased(customer_id=customer_id), 2))])
    assert [entry.email for entry in await suppressed(postgres)] == ["grace@example.com"]
    assert (await mail(postgres, UUID(made["id"]))).recipient is None
    refused(await postgres_api.post(path(one), headers=keyed("2")), 409, "mail_not_resendable")
    # Even if the request came in just before, and was written after.
    await change(postgres, UUID(made["id"]), "recipient = 'ada@work.example'")
    async with post_office() as office, sending(office.url):
        await until(postgres, ["sent", "failed"])
    assert office.recipients == []


async def test_a_suppressed_address_is_listed_and_tried_again_once_it_is_lifted(api: API, shared: Postgres) -> None:
    addresses = [f"{uuid7()}@example.com" for _ in range(3)]
    entries = [await suppression(shared, email) for email in addresses]
    page = (await api.get(SUPPRESSIONS, params={"limit": 2}, headers=STAFF)).json()
    assert [one["email"] for one in page["items"]] == addresses[:0:-1]
    rest = (await api.get(SUPPRESSIONS, params={"before": page["next"]}, headers=STAFF)).json()
    assert rest["items"][0]["id"] == str(entries[0])
    one = f"{SUPPRESSIONS}/{entries[0]}"
    read = await api.get(one, headers=STAFF)
    assert (read.json()["email"], read.json()["reason"]) == (addresses[0], "550")
    refused(await api.delete(one, headers=STAFF), 428, "precondition_required")
    refused(await api.delete(one, headers={**STAFF, "If-Match": '"1"'}), 412, "precondition_failed")
    assert (await api.delete(one, headers={**STAFF, "If-Match": read.headers["etag"]})).status_code == 204
    refused(await api.delete(one, headers={**STAFF, "If-Match": "*"}), 404, "suppression_unknown")
    refused(await api.get(one, headers=STAFF), 404, "suppression_unknown")
    assert addresses[0] not in [entry.email for entry in await suppressed(shared)]


ROUTES = [
    ("POST", path(UUID(int=1))),
    ("GET", SUPPRESSIONS),
    ("GET", f"{SUPPRESSIONS}/{UUID(int=1)}"),
    ("DELETE", f"{SUPPRESSIONS}/{UUID(int=1)}"),
]


@pytest.mark.parametrize(("method", "route"), ROUTES, ids=str)
async def test_all_of_this_is_for_staff(api: API, method: str, route: str) -> None:
    assert await believed(api, method, route, hostile.bad_tokens()) == []
    for role in ("customer", "ops"):
        refused(await api.request(method, route, headers=keyed(who=bearer(role=role))), 403, "forbidden")


async def test_a_body_or_key_that_is_none_is_malformed(api: API, shared: Postgres) -> None:
    one = await ended(shared)
    body = {"to": "ada@example.com"}
    bad = [*hostile.edges(body), *((name, sent, ()) for name, sent in hostile.NO_OBJECT.items())]
    found = await survivors(api, path(one), ((name, sent) for name, sent, _ in bad), keyed())
    # No body at all, and no address, is how a mail goes to its customer again.
    assert found == ["to='None': 202", "nothing: 202", "null: 202", "a byte order mark: 202"]
    for key in ("", " ", "a b", "x" * 256):
        malformed_at(await api.post(path(one), headers={**STAFF, "Idempotency-Key": key}))
    assert malformed_at(await api.post(path(one), headers=STAFF)) == {"header/idempotency-key"}
    api.headers.update(keyed())
    assert await undescribed(api, "POST", "/v1/notifications/{}/resend", hostile.NO_UUID) == []
    assert await undescribed(api, "GET", SUPPRESSIONS + "/{}", hostile.NO_UUID) == []
    assert await undescribed(api, "GET", SUPPRESSIONS + "?before={}", ("", "-1", "x", str(2**63))) == []
    for name in keyed():
        del api.headers[name]
