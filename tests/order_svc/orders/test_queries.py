"""Lists of orders: filters and pages, over the REST API."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from order_svc.orders import queries
from order_svc.orders.domain import Order
from tests.order_svc.scenarios import Commit, cancel, consume, place_order, product, reserved
from tests.responses import assert_problem, malformed_fields

API = httpx.AsyncClient
STAFF = bearer(role="staff")


async def found(api: API, headers: dict[str, str], **query: Any) -> list[str]:
    """The ids of all orders that match, from all pages."""
    ids: list[str] = []
    while True:
        response = await api.get("/v1/orders", params=query, headers=headers)
        assert response.status_code == 200, response.text
        page = response.json()
        ids += [order["id"] for order in page["items"]]
        if page["next"] is None:
            return ids
        query = query | {"cursor": page["next"]}


def ids(*orders: Order) -> list[str]:
    return [str(order.id) for order in orders]


async def bought(commit: Commit, customer: UUID, *names: str) -> Order:
    skus = [await product(commit, name=name) for name in names]
    placed: Order = await commit(place_order(dict.fromkeys(skus, 1), customer))
    return placed


async def test_orders_are_found_by_their_state(api: API, shared: Postgres, commit: Commit) -> None:
    customer = uuid7()
    pending, confirmed, cancelled = [await bought(commit, customer, "Mug") for _ in range(3)]
    await cancel(commit, cancelled)
    await consume(shared, reserved(confirmed))
    headers = bearer(customer)
    assert await found(api, headers, state="PENDING") == ids(pending)
    assert await found(api, headers, state=["PENDING", "CANCELLED"]) == ids(cancelled, pending)
    assert await found(api, headers, state="REJECTED") == []


async def test_orders_are_found_by_what_is_in_them(api: API, commit: Commit) -> None:
    customer = uuid7()
    mugs = await bought(commit, customer, "Enamel Mug", "Spoon")
    percent = await bought(commit, customer, "Soap 100%_\\")
    await bought(commit, uuid7(), "Enamel Mug")
    headers, sku = bearer(customer), mugs.lines[1].sku
    for text in ("enamel m", "SPOON", sku, sku.lower()[8:], str(mugs.id), str(mugs.id)[-12:].upper()):
        assert await found(api, headers, q=text) == ids(mugs), text
    for text in ("100%_\\", "%", "_", "\\"):
        assert await found(api, headers, q=text) == ids(percent), text
    for text in ("unit_price", "EUR", "'", "{"):
        assert await found(api, headers, q=text) == [], text


async def test_orders_are_found_by_the_time_they_were_placed(api: API, commit: Commit) -> None:
    customer = uuid7()
    first, second, third = [await bought(commit, customer, "Mug") for _ in range(3)]
    headers, at, soon = bearer(customer), second.placed_at.isoformat(), third.placed_at.isoformat()
    assert await found(api, headers, placed_from=at) == ids(third, second)
    assert await found(api, headers, placed_to=at) == ids(first)
    assert await found(api, headers, placed_from=at, placed_to=soon) == ids(second)
    assert await found(api, headers, placed_from=soon, placed_to=at) == []
    hour = timedelta(hours=1)
    assert await found(api, headers, placed_from=(datetime.now(UTC) + hour).isoformat()) == []
    assert await found(api, headers, placed_to=(datetime.now(UTC) - hour).isoformat()) == []


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59"])
async def test_any_valid_time_can_be_queried(api: API, moment: str) -> None:
    for name in ("placed_from", "placed_to"):
        assert await found(api, bearer(), **{name: moment}) == []


@pytest.mark.parametrize("moment", ["0", "-1", "0.5", "1e9", "2026", "2026-01-03T00:00:00", "soon"])
async def test_a_time_without_a_zone_is_refused(api: API, moment: str) -> None:
    response = await api.get("/v1/orders", headers=bearer(), params={"placed_from": moment})
    assert_problem(response, 422, "malformed_request")


async def test_only_staff_list_the_orders_of_another_customer(api: API, commit: Commit) -> None:
    customer = uuid7()
    order = await bought(commit, customer, "Mug")
    assert await found(api, STAFF, customer_id=str(customer)) == ids(order)
    assert await found(api, bearer(customer), customer_id=str(customer)) == ids(order)
    for stranger in (bearer(), bearer(role="ops")):
        assert await found(api, stranger, customer_id=str(customer)) == []


async def test_a_rare_match_is_found_in_pages_that_examine_a_limited_number_of_orders(
    api: API, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "EXAMINED", 3)
    customer = uuid7()
    names = ["Jug", "Mug", "Mug", "Mug", "Mug", "Mug", "Jug", "Jug", "Jug", "Mug"]
    placed = [await bought(commit, customer, name) for name in names]
    jugs = [order for order, name in zip(placed, names, strict=True) if name == "Jug"][::-1]
    headers = bearer(customer)
    page = (await api.get("/v1/orders", params={"q": "jug"}, headers=headers)).json()
    assert [order["id"] for order in page["items"]] == ids(*jugs[:2]), "of the newest three"
    for limit in (1, 2, 3, 50):
        assert await found(api, headers, q="jug", limit=limit) == ids(*jugs), limit
    assert await found(api, headers, limit=4) == ids(*placed[::-1]), "without a filter, no order has to be examined"


async def test_a_date_is_its_first_moment(api: API, commit: Commit) -> None:
    customer = uuid7()
    order = await bought(commit, customer, "Mug")
    headers, today = bearer(customer), order.placed_at.astimezone(UTC).date()
    tomorrow = today + timedelta(days=1)
    assert await found(api, headers, placed_from=str(today), placed_to=str(tomorrow)) == ids(order)
    assert await found(api, headers, placed_from=str(tomorrow)) == []
    assert await found(api, headers, placed_to=str(today)) == []


async def test_a_filtered_page_stays_the_same_when_new_orders_are_placed(api: API, commit: Commit) -> None:
    customer = uuid7()
    placed = [await bought(commit, customer, "Jug") for _ in range(3)]
    headers = bearer(customer)
    page = (await api.get("/v1/orders", params={"q": "jug", "limit": 1}, headers=headers)).json()
    await bought(commit, customer, "Jug")
    assert await found(api, headers, q="jug", before=page["next"]) == ids(*placed[1::-1])


@pytest.mark.parametrize(
    "query",
    [
        *(f"state={state}" for state in ("", "pending", "NONE", "%00", "PENDING&state=x")),
        *(
            f"placed_from={moment}"
            for moment in ("", "soon", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "2026-02-30", "9" * 400)
        ),
        *(f"placed_to={moment}" for moment in ("nan", "inf", "1e400", "10000-01-01T00:00:00Z", "%ff")),
        *(f"q={text}" for text in ("", "%00", "a%0ab", "x" * 101, "%E2%80%A8")),
        *(f"customer_id={customer}" for customer in ("", "x", "null", "%00")),
    ],
)
async def test_a_malformed_filter_is_refused(api: API, query: str) -> None:
    malformed_fields(await api.get(f"/v1/orders?{query}", headers=STAFF))
