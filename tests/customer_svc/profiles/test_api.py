"""The customer's own profile and addresses over REST."""

import asyncio
from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from customer_svc.profiles.domain import MAX_ADDRESSES
from schemas import Address, AddressesChanged, CustomerRegistered, ProfileChanged
from tests.addresses import shown
from tests.bad_inputs import NOT_A_UUID
from tests.customer_svc.factories import (
    ADDRESS,
    ADDRESSES,
    API,
    ME,
    Headers,
    add_address,
    change_profile,
    log_in_headers,
    new_customer,
    new_email,
    new_staff,
    published_events,
    register_customer,
    stored_account,
)
from tests.responses import accepted_values, assert_problem, malformed_fields, version_tag


async def change_address(api: API, headers: Headers, path: str, tag: str | None, **changes: Any) -> httpx.Response:
    body = ADDRESS | {"default_for": []} | changes
    return await api.put(path, json=body, headers=headers | ({"If-Match": tag} if tag else {}))


async def defaults(api: API, headers: Headers) -> dict[str, list[str]]:
    items = (await api.get(ADDRESSES, headers=headers)).json()["items"]
    return {item["id"]: item["default_for"] for item in items}


async def test_a_changed_profile_is_published_as_a_whole(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    headers = await log_in_headers(api, email)
    read = await api.get(ME, headers=headers)
    assert version_tag(read) == '"1"'
    changes = {
        "name": "Ada King",
        "phone": "+442079460000",
        "locale": "de",
        "marketing": True,
        "order_updates": False,
        "time_zone": "Europe/Berlin",
    }
    response = await change_profile(api, headers, changes, read.headers["etag"])
    assert (response.status_code, response.headers["etag"]) == (200, '"2"')
    assert response.json() == read.json() | changes == (await api.get(ME, headers=headers)).json()
    published = {name: value for name, value in changes.items() if name != "phone"}
    customer_id = (await stored_account(shared, email)).id
    assert (await published_events(shared, email))[1:] == [ProfileChanged(customer_id=customer_id, **published)]  # type: ignore[arg-type]


async def test_fields_that_are_not_sent_stay_and_others_can_be_removed(api: API) -> None:
    headers = await new_customer(api)
    await change_profile(api, headers, {"phone": "+442079460000", "marketing": True, "time_zone": "Asia/Tokyo"})
    response = (await change_profile(api, headers, {"phone": None, "time_zone": None})).json()
    assert (response["phone"], response["time_zone"]) == (None, None)
    assert (response["marketing"], response["name"]) == (True, "Ada Lovelace")


async def test_a_locale_can_be_set_at_registration(api: API, shared: Postgres) -> None:
    email = await register_customer(api, locale="de-AT")
    assert (await api.get(ME, headers=await log_in_headers(api, email))).json()["locale"] == "de-AT"
    [event] = await published_events(shared, email)
    assert isinstance(event, CustomerRegistered)
    assert event.locale == "de-AT"


async def test_a_concurrent_change_of_a_profile_is_not_overwritten(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    headers = await log_in_headers(api, email)
    responses = await asyncio.gather(*(change_profile(api, headers, {"name": f"Ada {n}"}, '"1"') for n in range(4)))
    assert sorted(response.status_code for response in responses) == [200, 412, 412, 412]
    assert len(await published_events(shared, email)) == 2
    assert_problem(await change_profile(api, headers, {"name": "Ada"}, tag=None), 428, "precondition_required")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            ("phone", phone)
            for phone in ("", "442079460000", "+0123456789", "+44 20 7946", "+" + "1" * 16, "+1\n", 1)
        ),
        *(("locale", locale) for locale in ("", "DE", "deu", "de_DE", "de-at", "de-ATT", "de\n", None)),
        *(("name", name) for name in ("", None, "x" * 201, "a\nb")),
        *(("time_zone", zone) for zone in ("", "CET+1", "Europe", "europe/berlin", "../UTC", "a\nb", 1)),
        *(("marketing", wish) for wish in ("true", 1, None)),
        ("role", "staff"),
        ("email", "eve@example.com"),
    ],
)
async def test_a_profile_with_an_invalid_field_is_malformed(api: API, field: str, value: Any) -> None:
    assert malformed_fields(await change_profile(api, bearer(), {field: value})) == {f"body/{field}"}


async def test_an_empty_change_is_malformed(api: API) -> None:
    assert malformed_fields(await change_profile(api, bearer(), {})) == {"body"}


async def test_the_profile_of_staff_can_be_changed_and_is_not_published(
    api: API, shared: Postgres, shared_url: str
) -> None:
    email = new_email()
    await new_staff(shared_url, email)
    headers = await log_in_headers(api, email)
    assert (await change_profile(api, headers, {"name": "Grace"})).json()["name"] == "Grace"
    assert await published_events(shared, email) == []
    assert_problem(await api.get(ADDRESSES, headers=headers), 403, "forbidden")


async def test_a_new_address_can_be_read_and_is_published_as_the_default(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    headers = await log_in_headers(api, email)
    added = await add_address(api, headers)
    assert added.json() == shown(ADDRESS) | {"id": added.json()["id"], "default_for": ["shipping", "billing"]}
    assert added.headers["location"] == f"{ADDRESSES}/{added.json()['id']}"
    read = await api.get(added.headers["location"], headers=headers)
    assert (read.json(), version_tag(read)) == (added.json(), added.headers["etag"])
    published = Address.model_validate(ADDRESS)
    customer_id = (await stored_account(shared, email)).id
    changed = AddressesChanged(customer_id=customer_id, shipping=published, billing=published)
    assert (await published_events(shared, email))[1:] == [changed]


async def test_one_address_is_the_default_for_each_use(api: API, shared: Postgres) -> None:
    email = await register_customer(api)
    headers = await log_in_headers(api, email)
    home = (await add_address(api, headers)).json()["id"]
    work = (await add_address(api, headers, "billing", city="Leeds")).json()["id"]
    assert await defaults(api, headers) == {home: ["shipping"], work: ["billing"]}
    last = (await published_events(shared, email))[-1]
    assert isinstance(last, AddressesChanged)
    assert (last.shipping and last.shipping.city, last.billing and last.billing.city) == ("London", "Leeds")
    removal = {"If-Match": '"1"'} | headers
    assert (await api.delete(f"{ADDRESSES}/{work}", headers=removal)).status_code == 204
    assert await defaults(api, headers) == {home: ["shipping", "billing"]}


async def test_a_concurrent_change_of_an_address_is_neither_overwritten_nor_removed(api: API) -> None:
    headers = await new_customer(api)
    path = (await add_address(api, headers)).headers["location"]
    changed = await change_address(api, headers, path, '"1"', city="Leeds")
    assert (changed.status_code, changed.headers["etag"], changed.json()["city"]) == (200, '"2"', "Leeds")
    assert_problem(await change_address(api, headers, path, '"1"'), 412, "precondition_failed")
    assert_problem(await change_address(api, headers, path, None), 428, "precondition_required")
    assert_problem(await api.delete(path, headers=headers | {"If-Match": '"1"'}), 412, "precondition_failed")
    assert_problem(await api.delete(path, headers=headers), 428, "precondition_required")


async def test_concurrently_added_addresses_are_all_stored(api: API) -> None:
    headers = await new_customer(api)
    await asyncio.gather(*(add_address(api, headers, "shipping") for _ in range(5)))
    found = list((await defaults(api, headers)).values())
    assert (len(found), sum("shipping" in uses for uses in found)) == (5, 1)


async def test_an_account_has_a_maximum_number_of_addresses(api: API) -> None:
    headers = await new_customer(api)
    for _ in range(MAX_ADDRESSES):
        await add_address(api, headers)
    body: dict[str, Any] = ADDRESS | {"default_for": []}
    assert_problem(await api.post(ADDRESSES, json=body, headers=headers), 409, "too_many_addresses")


async def test_the_address_of_another_customer_is_not_found(api: API) -> None:
    path = (await add_address(api, await new_customer(api))).headers["location"]
    other = await new_customer(api)
    assert_problem(await api.get(path, headers=other), 404, "address_not_found")
    assert_problem(await change_address(api, other, path, "*"), 404, "address_not_found")
    assert_problem(await api.delete(path, headers=other | {"If-Match": "*"}), 404, "address_not_found")
    assert_problem(await api.get(f"{ADDRESSES}/{uuid7()}", headers=other), 404, "address_not_found")


async def test_every_route_of_a_profile_needs_a_token(api: API) -> None:
    path = f"{ADDRESSES}/{uuid7()}"
    for response in (
        *(
            await api.get(ADDRESSES),
            await api.get(path),
            await api.delete(path),
            await change_address(api, {}, path, "*"),
        ),
        *(
            await change_profile(api, {}, {"name": "Eve"}),
            await api.post(ADDRESSES, json=ADDRESS | {"default_for": []}),
        ),
    ):
        assert_problem(response, 401, "unauthenticated")


async def test_an_invalid_address_id_is_refused(api: API) -> None:
    headers = await new_customer(api)
    api.headers.update(headers)
    assert await accepted_values(api, "GET", f"{ADDRESSES}/{{}}", NOT_A_UUID) == []
    del api.headers["Authorization"]
