"""What staff can read and change of customers, over REST."""

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from schemas import CustomerDeactivated, CustomerReactivated
from tests.bad_inputs import NOT_A_UUID, bad_tokens
from tests.customer_svc.factories import (
    API,
    log_in,
    new_customer,
    new_email,
    new_staff,
    published_events,
    register_customer,
    stored_account,
)
from tests.responses import accepted_tokens, accepted_values, assert_problem, malformed_fields, version_tag

CUSTOMERS = "/v1/customers"
STAFF = bearer(role="staff")


async def emails(api: API, **query: object) -> list[str]:
    response = await api.get(CUSTOMERS, params={name: str(value) for name, value in query.items()}, headers=STAFF)
    assert response.status_code == 200, response.text
    return [item["email"] for item in response.json()["items"]]


async def state_after(api: API, customer_id: object, action: str) -> str:
    response = await api.post(f"{CUSTOMERS}/{customer_id}/{action}", headers=STAFF)
    assert response.status_code == 200, response.text
    state: str = response.json()["state"]
    return state


async def test_customers_are_listed_newest_first_and_pages_do_not_shift(api: API) -> None:
    mark = uuid7().hex
    emails_of = [await register_customer(api, name=f"Ada {mark}") for _ in range(5)]
    first = (await api.get(CUSTOMERS, params={"q": mark, "limit": "2"}, headers=STAFF)).json()
    await register_customer(api, name=f"Eve {mark}")
    second = (
        await api.get(CUSTOMERS, params={"q": mark, "limit": "2", "cursor": first["next"]}, headers=STAFF)
    ).json()
    third = (
        await api.get(CUSTOMERS, params={"q": mark, "limit": "2", "cursor": second["next"]}, headers=STAFF)
    ).json()
    found = [item["email"] for page in (first, second, third) for item in page["items"]]
    assert (found, third["next"]) == (emails_of[::-1], None)


async def test_a_part_of_email_address_or_name_finds_a_customer_in_any_case(api: API) -> None:
    mark = uuid7().hex[-12:]
    email = await register_customer(api, name=f"Zoë 100%_{mark}")
    for text in (email[4:30].upper(), mark.upper(), f"zoË 100%_{mark}", f"100%_{mark}"):
        assert await emails(api, q=text) == [email], text
    assert await emails(api, q=f"100__{mark}") == []


@pytest.mark.parametrize("part", ["{}@xn--mnchen-3ya.de", "{}@M\u00dcNCHEN.de", "{}@m\u00fcnch"])
async def test_a_customer_is_found_by_every_spelling_of_the_email_address(api: API, part: str) -> None:
    mailbox = uuid7().hex
    await register_customer(api, email=f"{mailbox}@xn--mnchen-3ya.de")
    assert await emails(api, q=part.format(mailbox)) == [f"{mailbox}@m\u00fcnchen.de"]


async def test_if_match_is_checked_where_it_is_sent(api: API, shared: Postgres) -> None:
    account = await stored_account(shared, await register_customer(api))
    path = f"{CUSTOMERS}/{account.id}"
    for verb, state in (("deactivate", "deactivated"), ("reactivate", "active")):
        seen = version_tag(await api.get(path, headers=STAFF))
        stale = await api.post(f"{path}/{verb}", headers={**STAFF, "If-Match": '"99"'})
        assert_problem(stale, 412, "precondition_failed")
        changed = await api.post(f"{path}/{verb}", headers={**STAFF, "If-Match": seen})
        assert (changed.status_code, changed.json()["state"]) == (200, state)
        assert changed.headers["etag"] == version_tag(await api.get(path, headers=STAFF)) != seen


@pytest.mark.parametrize("text", ["%", "_", "\\", "'; DROP TABLE accounts; --"])
async def test_a_search_text_has_no_wildcards(api: API, text: str) -> None:
    mark = uuid7().hex
    email = await register_customer(api, name=f"{mark}{text}{mark}")
    await register_customer(api, name=f"{mark}x{mark}")
    assert await emails(api, q=f"{mark}{text}{mark}") == [email]


async def test_staff_can_deactivate_and_reactivate_a_customer(api: API, shared: Postgres) -> None:
    mark = uuid7().hex
    active, deactivated = [await register_customer(api, name=mark) for _ in range(2)]
    account = await stored_account(shared, deactivated)
    assert await state_after(api, account.id, "deactivate") == "deactivated"
    assert_problem(await api.post(f"{CUSTOMERS}/{account.id}/deactivate", headers=STAFF), 409, "already_deactivated")
    assert_problem(await log_in(api, deactivated), 409, "account_deactivated")
    assert (await emails(api, q=mark, state="active"), await emails(api, q=mark, state="deactivated")) == (
        [active],
        [deactivated],
    )
    assert await state_after(api, account.id, "reactivate") == "active"
    assert_problem(await api.post(f"{CUSTOMERS}/{account.id}/reactivate", headers=STAFF), 409, "already_active")
    assert (await log_in(api, deactivated)).status_code == 201
    assert (await published_events(shared, deactivated))[1:] == [
        CustomerDeactivated(customer_id=account.id, by="staff"),
        CustomerReactivated(customer_id=account.id, by="staff"),
    ]


async def test_staff_can_read_a_customer(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    response = await api.get(f"{CUSTOMERS}/{(await stored_account(shared, email)).id}", headers=STAFF)
    assert (response.json()["email"], version_tag(response)) == (email, '"1"')
    assert "password" not in response.text


async def test_staff_are_not_customers(api: API, shared_url: str) -> None:
    email = new_email()
    account = await new_staff(shared_url, email, "ops")
    assert await emails(api, q=email) == []
    for response in (
        await api.get(f"{CUSTOMERS}/{account.id}", headers=STAFF),
        await api.get(f"{CUSTOMERS}/{uuid7()}", headers=STAFF),
        await api.post(f"{CUSTOMERS}/{account.id}/deactivate", headers=STAFF),
        await api.post(f"{CUSTOMERS}/{account.id}/reactivate", headers=STAFF),
    ):
        assert_problem(response, 404, "customer_not_found")


@pytest.mark.parametrize("role", ["customer", "ops"])
async def test_only_staff_can_read_customers(api: API, shared: Postgres, role: str) -> None:
    other = (await stored_account(shared, await register_customer(api))).id
    headers = await new_customer(api) if role == "customer" else bearer(role="ops")
    for method, path in (("GET", ""), ("GET", f"/{other}"), ("POST", f"/{other}/deactivate")):
        assert_problem(await api.request(method, f"{CUSTOMERS}{path}", headers=headers), 403, "forbidden")
    assert await accepted_tokens(api, "GET", CUSTOMERS, bad_tokens("staff")) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("q", text) for text in ("", "x" * 101, "a\x00b", "a\nb")),
        *(("limit", number) for number in ("0", "201", "x", "1e3")),
        *(("cursor", cursor) for cursor in ("", "x", "1")),
        ("state", "erased"),
    ],
)
async def test_an_invalid_query_is_malformed(api: API, name: str, value: str) -> None:
    assert malformed_fields(await api.get(CUSTOMERS, params={name: value}, headers=STAFF)) == {f"query/{name}"}


async def test_an_invalid_customer_id_is_refused(api: API) -> None:
    api.headers.update(STAFF)
    for method, path in (("GET", ""), ("POST", "/deactivate"), ("POST", "/reactivate")):
        assert await accepted_values(api, method, f"{CUSTOMERS}/{{}}{path}", NOT_A_UUID) == []
    del api.headers["Authorization"]
