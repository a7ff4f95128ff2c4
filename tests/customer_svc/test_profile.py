"""One's own profile and addresses over REST."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from customer_svc.bootstrap import appoint_account
from customer_svc.domain.address import MOST
from schemas import Address, AddressesChanged, CustomerRegistered, ProfileChanged
from tests.answers import malformed_at, refused, undescribed
from tests.customer_svc.people import API, PASSWORD, account, logged_in, new_email, newcomer, registered, told_of
from tests.customer_svc.test_bootstrap import settings as bootstrap_settings
from tests.hostile import NO_UUID

ME, ADDRESSES = "/v1/customers/me", "/v1/customers/me/addresses"
PLACE = {"name": "Ada", "street": "12 St James's Square", "city": "London", "postal_code": "SW1Y", "country": "GB"}
Who = dict[str, str]


async def change(api: API, who: Who, changes: Mapping[str, Any], tag: str | None = "*") -> httpx.Response:
    return await api.patch(ME, json=changes, headers=who | ({"If-Match": tag} if tag else {}))


async def add(api: API, who: Who, *uses: str, **changes: str) -> httpx.Response:
    answer = await api.post(ADDRESSES, json=PLACE | changes | {"default_for": uses}, headers=who)
    assert answer.status_code == 201, answer.text
    return answer


async def put(api: API, who: Who, path: str, tag: str | None, **changes: Any) -> httpx.Response:
    body = PLACE | {"default_for": []} | changes
    return await api.put(path, json=body, headers=who | ({"If-Match": tag} if tag else {}))


async def defaults(api: API, who: Who) -> dict[str, list[str]]:
    items = (await api.get(ADDRESSES, headers=who)).json()["items"]
    return {item["id"]: item["default_for"] for item in items}


async def test_a_profile_is_changed_and_told_of_whole(api: API, shared: Postgres) -> None:
    email = await registered(api)
    who = await logged_in(api, email)
    read = await api.get(ME, headers=who)
    assert read.headers["etag"] == '"1"'
    changes = {
        "name": "Ada King",
        "phone": "+442079460000",
        "locale": "de",
        "marketing": True,
        "order_updates": False,
    }
    answer = await change(api, who, changes, read.headers["etag"])
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert answer.json() == read.json() | changes == (await api.get(ME, headers=who)).json()
    told = {name: value for name, value in changes.items() if name != "phone"}
    customer_id = (await account(shared, email)).id
    assert (await told_of(shared, email))[1:] == [ProfileChanged(customer_id=customer_id, **told)]  # type: ignore[arg-type]


async def test_what_is_not_named_stays_and_a_phone_number_can_be_forgotten(api: API) -> None:
    who = await newcomer(api)
    await change(api, who, {"phone": "+442079460000", "marketing": True})
    answer = (await change(api, who, {"phone": None})).json()
    assert (answer["phone"], answer["marketing"], answer["name"]) == (None, True, "Ada Lovelace")


async def test_a_locale_can_be_told_when_registering(api: API, shared: Postgres) -> None:
    email = await registered(api, locale="de-AT")
    assert (await api.get(ME, headers=await logged_in(api, email))).json()["locale"] == "de-AT"
    [event] = await told_of(shared, email)
    assert isinstance(event, CustomerRegistered)
    assert event.locale == "de-AT"


async def test_a_profile_changed_meanwhile_is_not_overwritten(api: API, shared: Postgres) -> None:
    email = await registered(api)
    who = await logged_in(api, email)
    answers = await asyncio.gather(*(change(api, who, {"name": f"Ada {n}"}, '"1"') for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    assert len(await told_of(shared, email)) == 2
    refused(await change(api, who, {"name": "Ada"}, tag=None), 428, "precondition_required")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(
            ("phone", phone)
            for phone in ("", "442079460000", "+0123456789", "+44 20 7946", "+" + "1" * 16, "+1\n", 1)
        ),
        *(("locale", locale) for locale in ("", "DE", "deu", "de_DE", "de-at", "de-ATT", "de\n", None)),
        *(("name", name) for name in ("", None, "x" * 201, "a\nb")),
        *(("marketing", wish) for wish in ("true", 1, None)),
        ("role", "staff"),
        ("email", "eve@example.com"),
    ],
)
async def test_a_profile_holds_nothing_else(api: API, field: str, value: Any) -> None:
    assert malformed_at(await change(api, bearer(), {field: value})) == {f"body/{field}"}


async def test_a_change_of_nothing_is_malformed(api: API) -> None:
    assert malformed_at(await change(api, bearer(), {})) == {"body"}


async def test_one_of_us_has_a_profile_that_nobody_is_told_of(api: API, shared: Postgres, shared_url: str) -> None:
    email = new_email()
    await appoint_account(bootstrap_settings(shared_url, PASSWORD), email, "staff")
    who = await logged_in(api, email)
    assert (await change(api, who, {"name": "Grace"})).json()["name"] == "Grace"
    assert await told_of(shared, email) == []
    refused(await api.get(ADDRESSES, headers=who), 403, "forbidden")


async def test_an_address_is_added_read_and_told_of_as_the_default(api: API, shared: Postgres) -> None:
    email = await registered(api)
    who = await logged_in(api, email)
    made = await add(api, who)
    assert made.json() == PLACE | {"id": made.json()["id"], "default_for": ["shipping", "billing"]}
    assert made.headers["location"] == f"{ADDRESSES}/{made.json()['id']}"
    read = await api.get(made.headers["location"], headers=who)
    assert (read.json(), read.headers["etag"]) == (made.json(), made.headers["etag"])
    there = Address.model_validate(PLACE)
    customer_id = (await account(shared, email)).id
    changed = AddressesChanged(customer_id=customer_id, shipping=there, billing=there)
    assert (await told_of(shared, email))[1:] == [changed]


async def test_one_address_is_the_default_for_each_use(api: API, shared: Postgres) -> None:
    email = await registered(api)
    who = await logged_in(api, email)
    home = (await add(api, who)).json()["id"]
    work = (await add(api, who, "billing", city="Leeds")).json()["id"]
    assert await defaults(api, who) == {home: ["shipping"], work: ["billing"]}
    last = (await told_of(shared, email))[-1]
    assert isinstance(last, AddressesChanged)
    assert (last.shipping and last.shipping.city, last.billing and last.billing.city) == ("London", "Leeds")
    removal = {"If-Match": '"1"'} | who
    assert (await api.delete(f"{ADDRESSES}/{work}", headers=removal)).status_code == 204
    assert await defaults(api, who) == {home: ["shipping", "billing"]}


async def test_an_address_changed_meanwhile_is_neither_overwritten_nor_removed(api: API) -> None:
    who = await newcomer(api)
    path = (await add(api, who)).headers["location"]
    changed = await put(api, who, path, '"1"', city="Leeds")
    assert (changed.status_code, changed.headers["etag"], changed.json()["city"]) == (200, '"2"', "Leeds")
    refused(await put(api, who, path, '"1"'), 412, "precondition_failed")
    refused(await put(api, who, path, None), 428, "precondition_required")
    refused(await api.delete(path, headers=who | {"If-Match": '"1"'}), 412, "precondition_failed")
    refused(await api.delete(path, headers=who), 428, "precondition_required")


async def test_addresses_added_at_once_are_all_kept(api: API) -> None:
    who = await newcomer(api)
    await asyncio.gather(*(add(api, who, "shipping") for _ in range(5)))
    found = list((await defaults(api, who)).values())
    assert (len(found), sum("shipping" in uses for uses in found)) == (5, 1)


async def test_an_account_has_so_many_addresses_and_no_more(api: API) -> None:
    who = await newcomer(api)
    for _ in range(MOST):
        await add(api, who)
    body: dict[str, Any] = PLACE | {"default_for": []}
    refused(await api.post(ADDRESSES, json=body, headers=who), 409, "too_many_addresses")


async def test_the_address_of_somebody_else_is_not_there(api: API) -> None:
    path = (await add(api, await newcomer(api))).headers["location"]
    other = await newcomer(api)
    refused(await api.get(path, headers=other), 404, "address_unknown")
    refused(await put(api, other, path, "*"), 404, "address_unknown")
    refused(await api.delete(path, headers=other | {"If-Match": "*"}), 404, "address_unknown")
    refused(await api.get(f"{ADDRESSES}/{uuid7()}", headers=other), 404, "address_unknown")


async def test_without_a_token_nothing_of_a_profile_is_there(api: API) -> None:
    path = f"{ADDRESSES}/{uuid7()}"
    for answer in (
        *(await api.get(ADDRESSES), await api.get(path), await api.delete(path), await put(api, {}, path, "*")),
        *(await change(api, {}, {"name": "Eve"}), await api.post(ADDRESSES, json=PLACE | {"default_for": []})),
    ):
        refused(answer, 401, "unauthenticated")


async def test_what_is_no_id_leads_nowhere(api: API) -> None:
    who = await newcomer(api)
    api.headers.update(who)
    assert await undescribed(api, "GET", f"{ADDRESSES}/{{}}", NO_UUID) == []
    del api.headers["Authorization"]
