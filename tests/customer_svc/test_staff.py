"""What staff see of customers, and can do to them, over REST."""

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from customer_svc.bootstrap import appoint_account
from schemas import CustomerDeactivated, CustomerReactivated
from tests.answers import believed, malformed_at, refused, undescribed
from tests.customer_svc.people import API, PASSWORD, account, log_in, new_email, newcomer, registered, told_of
from tests.customer_svc.test_bootstrap import settings as bootstrap_settings
from tests.hostile import NO_UUID, bad_tokens

CUSTOMERS = "/v1/customers"
STAFF = bearer(role="staff")


async def emails(api: API, **query: object) -> list[str]:
    answer = await api.get(CUSTOMERS, params={name: str(value) for name, value in query.items()}, headers=STAFF)
    assert answer.status_code == 200, answer.text
    return [item["email"] for item in answer.json()["items"]]


async def moved(api: API, customer_id: object, move: str) -> str:
    answer = await api.post(f"{CUSTOMERS}/{customer_id}/{move}", headers=STAFF)
    assert answer.status_code == 200, answer.text
    state: str = answer.json()["state"]
    return state


async def test_customers_are_listed_newest_first_and_pages_do_not_shift(api: API) -> None:
    mark = uuid7().hex
    made = [await registered(api, name=f"Ada {mark}") for _ in range(5)]
    first = (await api.get(CUSTOMERS, params={"q": mark, "limit": "2"}, headers=STAFF)).json()
    await registered(api, name=f"Eve {mark}")
    second = (
        await api.get(CUSTOMERS, params={"q": mark, "limit": "2", "before": first["next"]}, headers=STAFF)
    ).json()
    third = (
        await api.get(CUSTOMERS, params={"q": mark, "limit": "2", "before": second["next"]}, headers=STAFF)
    ).json()
    found = [item["email"] for page in (first, second, third) for item in page["items"]]
    assert (found, third["next"]) == (made[::-1], None)


async def test_a_part_of_address_or_name_finds_a_customer_in_any_case(api: API) -> None:
    mark = uuid7().hex[-12:]
    email = await registered(api, name=f"Zoë 100%_{mark}")
    for text in (email[4:30].upper(), mark.upper(), f"zoË 100%_{mark}", f"100%_{mark}"):
        assert await emails(api, q=text) == [email], text
    assert await emails(api, q=f"100__{mark}") == []


async def test_staff_may_say_which_version_of_a_customer_they_have_seen(api: API, shared: Postgres) -> None:
    made = await account(shared, await registered(api))
    path = f"{CUSTOMERS}/{made.id}"
    for verb, state in (("deactivate", "deactivated"), ("reactivate", "active")):
        seen = (await api.get(path, headers=STAFF)).headers["etag"]
        stale = await api.post(f"{path}/{verb}", headers={**STAFF, "If-Match": '"99"'})
        refused(stale, 412, "precondition_failed")
        moved = await api.post(f"{path}/{verb}", headers={**STAFF, "If-Match": seen})
        assert (moved.status_code, moved.json()["state"]) == (200, state)
        assert moved.headers["etag"] == (await api.get(path, headers=STAFF)).headers["etag"] != seen


@pytest.mark.parametrize("text", ["%", "_", "\\", "'; DROP TABLE accounts; --"])
async def test_a_text_is_sought_as_it_is(api: API, text: str) -> None:
    mark = uuid7().hex
    email = await registered(api, name=f"{mark}{text}{mark}")
    await registered(api, name=f"{mark}x{mark}")
    assert await emails(api, q=f"{mark}{text}{mark}") == [email]


async def test_staff_put_a_customer_out_of_use_and_in_use_again(api: API, shared: Postgres) -> None:
    mark = uuid7().hex
    here, gone = [await registered(api, name=mark) for _ in range(2)]
    made = await account(shared, gone)
    assert await moved(api, made.id, "deactivate") == "deactivated"
    refused(await api.post(f"{CUSTOMERS}/{made.id}/deactivate", headers=STAFF), 409, "deactivated_already")
    refused(await log_in(api, gone), 409, "account_deactivated")
    assert (await emails(api, q=mark, state="active"), await emails(api, q=mark, state="deactivated")) == (
        [here],
        [gone],
    )
    assert await moved(api, made.id, "reactivate") == "active"
    refused(await api.post(f"{CUSTOMERS}/{made.id}/reactivate", headers=STAFF), 409, "active_already")
    assert (await log_in(api, gone)).status_code == 201
    assert (await told_of(shared, gone))[1:] == [
        CustomerDeactivated(customer_id=made.id, by="staff"),
        CustomerReactivated(customer_id=made.id, by="staff"),
    ]


async def test_staff_read_a_customer(api: API, shared: Postgres) -> None:
    email = await registered(api)
    answer = await api.get(f"{CUSTOMERS}/{(await account(shared, email)).id}", headers=STAFF)
    assert (answer.json()["email"], answer.headers["etag"]) == (email, '"1"')
    assert "password" not in answer.text


async def test_one_of_us_is_no_customer(api: API, shared_url: str) -> None:
    email = new_email()
    made = await appoint_account(bootstrap_settings(shared_url, PASSWORD), email, "ops")
    assert await emails(api, q=email) == []
    for answer in (
        await api.get(f"{CUSTOMERS}/{made.id}", headers=STAFF),
        await api.get(f"{CUSTOMERS}/{uuid7()}", headers=STAFF),
        await api.post(f"{CUSTOMERS}/{made.id}/deactivate", headers=STAFF),
        await api.post(f"{CUSTOMERS}/{made.id}/reactivate", headers=STAFF),
    ):
        refused(answer, 404, "customer_unknown")


@pytest.mark.parametrize("role", ["customer", "ops"])
async def test_nobody_else_sees_customers(api: API, shared: Postgres, role: str) -> None:
    other = (await account(shared, await registered(api))).id
    who = await newcomer(api) if role == "customer" else bearer(role="ops")
    for method, path in (("GET", ""), ("GET", f"/{other}"), ("POST", f"/{other}/deactivate")):
        refused(await api.request(method, f"{CUSTOMERS}{path}", headers=who), 403, "forbidden")
    assert await believed(api, "GET", CUSTOMERS, bad_tokens("staff")) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("q", text) for text in ("", "x" * 101, "a\x00b", "a\nb")),
        *(("limit", number) for number in ("0", "201", "x", "1e3")),
        *(("before", cursor) for cursor in ("", "x", "1")),
        ("state", "erased"),
    ],
)
async def test_a_query_that_means_nothing_is_malformed(api: API, name: str, value: str) -> None:
    assert malformed_at(await api.get(CUSTOMERS, params={name: value}, headers=STAFF)) == {f"query/{name}"}


async def test_what_is_no_id_leads_nowhere(api: API) -> None:
    api.headers.update(STAFF)
    for method, path in (("GET", ""), ("POST", "/deactivate"), ("POST", "/reactivate")):
        assert await undescribed(api, method, f"{CUSTOMERS}/{{}}{path}", NO_UUID) == []
    del api.headers["Authorization"]
