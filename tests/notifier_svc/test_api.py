"""The REST API of notifier_svc."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr
from uuid_utils.compat import uuid7

from chassis.link_tokens import link_token
from chassis.persistence.postgres.database import Postgres
from chassis.testing import LINK_KEY, bearer
from notifier_svc.domain import mail_id
from schemas import RegistrationRepeated
from tests import hostile
from tests.answers import believed, malformed_at, refused, undescribed
from tests.notifier_svc.ledger import cancelled, change, confirmed, hear, link, mail, registered
from tests.notifier_svc.test_forgetting import forget

API = httpx.AsyncClient
NOTIFICATIONS = "/v1/notifications"


async def listed(api: API, who: dict[str, str], **query: Any) -> dict[str, Any]:
    answer = await api.get(NOTIFICATIONS, params=query, headers=who)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def test_a_mail_reads_as_the_ledger_has_it(api: API, shared: Postgres) -> None:
    customer_id, order_id = uuid7(), uuid7()
    await hear(shared, cancelled(customer_id, order_id))
    known = await mail(shared, mail_id("cancelled", customer_id, str(order_id)))
    read = (await api.get(f"{NOTIFICATIONS}/{known.id}", headers=bearer(customer_id))).json()
    changed_at = read.pop("changed_at")
    assert changed_at.startswith(known.changed_at.isoformat()[:19])
    assert read == {
        "id": str(known.id),
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


async def test_a_mail_says_again_what_it_says(api: API, shared: Postgres) -> None:
    order = confirmed(uuid7(), uuid7())
    await hear(shared, registered(order.customer_id, name="<b>Ada</b>"), order)
    path = f"{NOTIFICATIONS}/{mail_id('receipt', order.customer_id, str(order.order_id))}"
    read = (await api.get(path, headers=bearer(order.customer_id))).json()
    assert read["subject"] == f"Your order {str(order.order_id)[-12:]} is confirmed"
    assert "<b>Ada</b>" in read["text"]
    assert str(order.order_id) in read["text"]
    assert (await api.get(path, headers=bearer(role="staff"))).json() == read


async def test_a_mail_about_an_account_is_shown_to_nobody(api: API, shared: Postgres) -> None:
    customer_id, verify = uuid7(), link()
    repeated = RegistrationRepeated(customer_id=customer_id)
    await hear(shared, registered(customer_id, verify=verify), repeated)
    for who in (bearer(customer_id), bearer(role="staff")):
        mails = (await listed(api, who, customer_id=str(customer_id)))["items"]
        assert {one["template"] for one in mails} == {"welcome", "registration_repeated"}
        for one in mails:
            answer = await api.get(f"{NOTIFICATIONS}/{one['id']}", headers=who)
            assert (answer.json()["subject"], answer.json()["text"]) == (None, None)
            assert link_token(SecretStr(LINK_KEY), "verify", UUID(str(verify.link_id))) not in answer.text


async def test_a_forgotten_mail_says_nothing(api: API, shared: Postgres) -> None:
    order = confirmed(uuid7(), uuid7())
    await hear(shared, registered(order.customer_id), order)
    await forget(shared, order.customer_id)
    path = f"{NOTIFICATIONS}/{mail_id('receipt', order.customer_id, str(order.order_id))}"
    read = (await api.get(path, headers=bearer(role="staff"))).json()
    assert (read["subject"], read["text"]) == (None, None)


async def test_ones_mails_are_listed_newest_first_page_by_page(api: API, shared: Postgres) -> None:
    customer_id = uuid7()
    orders = [uuid7() for _ in range(5)]
    for order_id in orders:
        await hear(shared, cancelled(customer_id, order_id), cancelled(uuid7(), uuid7()))
    found: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = await listed(api, bearer(customer_id), **query)
        found += [one["order_id"] for one in page["items"]]
        if page["next"] is None:
            break
        await hear(shared, cancelled(customer_id, uuid7()))
        query["before"] = page["next"]
    assert found == [str(order_id) for order_id in reversed(orders)]


async def test_mails_about_one_order_are_listed_alone(api: API, shared: Postgres) -> None:
    order = confirmed(uuid7(), uuid7())
    await hear(shared, order, cancelled(order.customer_id, order.order_id), cancelled(order.customer_id, uuid7()))
    page = await listed(api, bearer(order.customer_id), order_id=str(order.order_id))
    assert [one["template"] for one in page["items"]] == ["cancelled", "receipt"]


async def test_mails_are_found_by_kind_and_by_what_became_of_them(api: API, shared: Postgres) -> None:
    customer_id, order_id = uuid7(), uuid7()
    await hear(shared, confirmed(customer_id, uuid7()), cancelled(customer_id, order_id))
    await change(shared, mail_id("cancelled", customer_id, str(order_id)), "state = 'failed'")
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


async def test_somebody_elses_mail_is_not_found_and_staff_sees_all(api: API, shared: Postgres) -> None:
    customer_id, order_id = uuid7(), uuid7()
    await hear(shared, cancelled(customer_id, order_id))
    path = f"{NOTIFICATIONS}/{mail_id('cancelled', customer_id, str(order_id))}"
    for stranger in (bearer(), bearer(role="ops")):
        refused(await api.get(path, headers=stranger), 404, "notification_unknown")
        assert await listed(api, stranger, order_id=str(order_id)) == {"items": [], "next": None}
    staff = bearer(role="staff")
    assert (await api.get(path, headers=staff)).status_code == 200
    assert len((await listed(api, staff, order_id=str(order_id)))["items"]) == 1
    refused(await api.get(f"{NOTIFICATIONS}/{uuid7()}", headers=staff), 404, "notification_unknown")


@pytest.mark.parametrize("path", [NOTIFICATIONS, f"{NOTIFICATIONS}/019b7c61-0000-7000-8000-000000000001"])
async def test_a_token_that_is_not_good_is_refused(api: API, path: str) -> None:
    assert await believed(api, "GET", path, hostile.bad_tokens()) == []
    refused(await api.get(path), 401, "unauthenticated")


async def test_an_id_that_is_no_uuid_is_malformed(api: API) -> None:
    api.headers.update(bearer())
    assert await undescribed(api, "GET", f"{NOTIFICATIONS}/{{}}", hostile.NO_UUID) == []
    del api.headers["authorization"]


@pytest.mark.parametrize(
    "query",
    [f"limit={limit}" for limit in ("0", "-1", "201", "1.5", "", "x", "9" * 5000)]
    + [f"before={cursor}" for cursor in ("", "-1", "x", "1.5", str(2**63), "9" * 5000, "%00")]
    + [f"{name}={value}" for name in ("order_id", "customer_id") for value in ("", "x", "%00", "1")]
    + [f"{name}={value}" for name in ("template", "state") for value in ("", "x", "%00", "RECEIPT")],
    ids=lambda query: query[:20],
)
async def test_a_cursor_limit_or_order_that_is_none_is_malformed(api: API, query: str) -> None:
    malformed_at(await api.get(f"{NOTIFICATIONS}?{query}", headers=bearer()))


async def test_a_cursor_of_no_mail_is_a_place_like_any_other(api: API) -> None:
    for cursor in (0, 2**63 - 1):
        assert await listed(api, bearer(), before=cursor) == {"items": [], "next": None}
