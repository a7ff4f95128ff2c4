"""The notifications API."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr
from uuid_utils.compat import uuid7

from chassis.link_tokens import link_token
from chassis.persistence.postgres.database import Postgres
from chassis.testing import LINK_KEY, bearer
from notifier_svc.mails.domain import mail_id
from schemas import RegistrationRepeated
from tests import bad_inputs
from tests.notifier_svc.factories import cancelled, confirmed, link, registered
from tests.notifier_svc.ledger import erase_customer, handle_events, read_mail, update_mail
from tests.responses import accepted_tokens, accepted_values, assert_problem, malformed_fields

API = httpx.AsyncClient
NOTIFICATIONS = "/v1/notifications"


async def listed(api: API, who: dict[str, str], **query: Any) -> dict[str, Any]:
    response = await api.get(NOTIFICATIONS, params=query, headers=who)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


async def test_a_mail_is_shown_as_the_ledger_has_it(api: API, shared: Postgres) -> None:
    customer_id, order_id = uuid7(), uuid7()
    await handle_events(shared, cancelled(customer_id, order_id))
    mail = await read_mail(shared, mail_id("cancelled", customer_id, str(order_id)))
    read = (await api.get(f"{NOTIFICATIONS}/{mail.id}", headers=bearer(customer_id))).json()
    changed_at = read.pop("changed_at")
    assert changed_at.startswith(mail.changed_at.isoformat()[:19])
    assert read == {
        "id": str(mail.id),
        "template": "cancelled",
        "customer_id": str(customer_id),
        "order_id": str(order_id),
        "state": "queued",
        "attempts": 0,
        "doubts": 0,
        "error": None,
        "recipient": None,
        "resend_of": None,
        "subject": None,
        "text": None,
    }
    in_list = (await listed(api, bearer(customer_id)))["items"][0]
    assert in_list.keys() == {*read, "changed_at"} - {"subject", "text"}


async def test_a_mail_is_shown_with_its_subject_and_text(api: API, shared: Postgres) -> None:
    order = confirmed(uuid7(), uuid7())
    await handle_events(shared, registered(order.customer_id, name="<b>Ada</b>"), order)
    path = f"{NOTIFICATIONS}/{mail_id('receipt', order.customer_id, str(order.order_id))}"
    read = (await api.get(path, headers=bearer(order.customer_id))).json()
    assert read["subject"] == f"Your order {str(order.order_id)[-12:]} is confirmed"
    assert "<b>Ada</b>" in read["text"]
    assert str(order.order_id) in read["text"]
    assert (await api.get(path, headers=bearer(role="staff"))).json() == read


async def test_the_text_of_a_mail_about_an_account_is_not_shown(api: API, shared: Postgres) -> None:
    customer_id, verify = uuid7(), link()
    repeated = RegistrationRepeated(customer_id=customer_id)
    await handle_events(shared, registered(customer_id, verify=verify), repeated)
    for who in (bearer(customer_id), bearer(role="staff")):
        mails = (await listed(api, who, customer_id=str(customer_id)))["items"]
        assert {one["template"] for one in mails} == {"welcome", "registration_repeated"}
        for one in mails:
            response = await api.get(f"{NOTIFICATIONS}/{one['id']}", headers=who)
            assert (response.json()["subject"], response.json()["text"]) == (None, None)
            assert link_token(SecretStr(LINK_KEY), "verify", UUID(str(verify.link_id))) not in response.text


async def test_the_text_of_an_anonymised_mail_is_not_shown(api: API, shared: Postgres) -> None:
    order = confirmed(uuid7(), uuid7())
    await handle_events(shared, registered(order.customer_id), order)
    await erase_customer(shared, order.customer_id)
    path = f"{NOTIFICATIONS}/{mail_id('receipt', order.customer_id, str(order.order_id))}"
    read = (await api.get(path, headers=bearer(role="staff"))).json()
    assert (read["subject"], read["text"]) == (None, None)


async def test_mails_are_listed_newest_first_page_by_page(api: API, shared: Postgres) -> None:
    customer_id = uuid7()
    orders = [uuid7() for _ in range(5)]
    for order_id in orders:
        await handle_events(shared, cancelled(customer_id, order_id), cancelled(uuid7(), uuid7()))
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = await listed(api, bearer(customer_id), **query)
        found += [one["order_id"] for one in page["items"]]
        if page["next"] is None:
            break
        await handle_events(shared, cancelled(customer_id, uuid7()))
        query["cursor"] = page["next"]
    assert found == [str(order_id) for order_id in reversed(orders)]


async def test_mails_can_be_filtered_by_order(api: API, shared: Postgres) -> None:
    order = confirmed(uuid7(), uuid7())
    await handle_events(
        shared, order, cancelled(order.customer_id, order.order_id), cancelled(order.customer_id, uuid7())
    )
    page = await listed(api, bearer(order.customer_id), order_id=str(order.order_id))
    assert [one["template"] for one in page["items"]] == ["cancelled", "receipt"]


async def test_mails_can_be_filtered_by_template_and_state(api: API, shared: Postgres) -> None:
    customer_id, order_id = uuid7(), uuid7()
    await handle_events(shared, confirmed(customer_id, uuid7()), cancelled(customer_id, order_id))
    await update_mail(shared, mail_id("cancelled", customer_id, str(order_id)), "state = 'failed'")
    who, staff = bearer(customer_id), bearer(role="staff")
    found = {
        "receipt": await listed(api, who, template="receipt"),
        "cancelled": await listed(api, who, state="failed"),
        "none": await listed(api, who, template="receipt", state="failed"),
        "of another": await listed(api, who, customer_id=str(uuid7())),
        "for staff": await listed(api, staff, customer_id=str(customer_id), limit=1),
    }
    assert {name: [one["template"] for one in page["items"]] for name, page in found.items()} == {
        "receipt": ["receipt"],
        "cancelled": ["cancelled"],
        "none": [],
        "of another": [],
        "for staff": ["cancelled"],
    }


async def test_customers_see_their_own_mails_and_staff_see_all(api: API, shared: Postgres) -> None:
    customer_id, order_id = uuid7(), uuid7()
    await handle_events(shared, cancelled(customer_id, order_id))
    path = f"{NOTIFICATIONS}/{mail_id('cancelled', customer_id, str(order_id))}"
    for stranger in (bearer(), bearer(role="ops")):
        assert_problem(await api.get(path, headers=stranger), 404, "notification_not_found")
        assert await listed(api, stranger, order_id=str(order_id)) == {"items": [], "next": None}
    staff = bearer(role="staff")
    assert (await api.get(path, headers=staff)).status_code == 200
    assert len((await listed(api, staff, order_id=str(order_id)))["items"]) == 1
    assert_problem(await api.get(f"{NOTIFICATIONS}/{uuid7()}", headers=staff), 404, "notification_not_found")


@pytest.mark.parametrize("path", [NOTIFICATIONS, f"{NOTIFICATIONS}/019b7c61-0000-7000-8000-000000000001"])
async def test_an_invalid_token_is_refused(api: API, path: str) -> None:
    assert await accepted_tokens(api, "GET", path, bad_inputs.bad_tokens()) == []
    assert_problem(await api.get(path), 401, "unauthenticated")


async def test_an_id_that_is_not_a_uuid_is_malformed(api: API) -> None:
    api.headers.update(bearer())
    assert await accepted_values(api, "GET", f"{NOTIFICATIONS}/{{}}", bad_inputs.NOT_A_UUID) == []
    del api.headers["authorization"]


@pytest.mark.parametrize(
    "query",
    [f"limit={limit}" for limit in ("0", "-1", "201", "1.5", "", "x", "9" * 5000)]
    + [f"cursor={cursor}" for cursor in ("", "-1", "x", "1.5", str(2**63), "9" * 5000, "%00")]
    + [f"{name}={value}" for name in ("order_id", "customer_id") for value in ("", "x", "%00", "1")]
    + [f"{name}={value}" for name in ("template", "state") for value in ("", "x", "%00", "RECEIPT")],
    ids=lambda query: query[:20],
)
async def test_an_invalid_cursor_limit_or_order_is_malformed(api: API, query: str) -> None:
    malformed_fields(await api.get(f"{NOTIFICATIONS}?{query}", headers=bearer()))


async def test_a_cursor_need_not_be_the_position_of_a_mail(api: API) -> None:
    for cursor in (0, 2**63 - 1):
        assert await listed(api, bearer(), before=cursor) == {"items": [], "next": None}
