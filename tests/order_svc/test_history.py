"""Which orders a list has, and in which pages."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from uuid_utils.compat import uuid7

import order_svc.history
from chassis.messaging.consumer import Consumer
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer, records
from order_svc import SERVICE
from order_svc.domain import Order
from order_svc.handlers import HANDLERS
from order_svc.store import OrderBook
from schemas import StockReserved
from tests.answers import malformed_at, refused
from tests.order_svc.orders import basket, cancel, place, product

API = httpx.AsyncClient
Commit = GroupCommit[OrderBook]
STAFF = bearer(role="staff")


async def found(api: API, who: dict[str, str], **asked: Any) -> list[str]:
    """The ids of all orders that are found, in all pages."""
    ids: list[str] = []
    while True:
        answer = await api.get("/v1/orders", params=asked, headers=who)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        ids += [order["id"] for order in page["items"]]
        if page["next"] is None:
            return ids
        asked = asked | {"before": page["next"]}


def ids(*orders: Order) -> list[str]:
    return [str(order.id) for order in orders]


async def bought(commit: Commit, customer: UUID, *names: str) -> Order:
    skus = [await product(commit, name=name) for name in names]
    return await place(commit, basket(dict.fromkeys(skus, 1), customer))


async def test_orders_are_found_by_their_state(api: API, shared: Postgres, commit: Commit) -> None:
    customer = uuid7()
    pending, confirmed, cancelled = [await bought(commit, customer, "Mug") for _ in range(3)]
    await cancel(commit, cancelled)
    reserved = StockReserved(order_id=confirmed.id, lines=())
    await Consumer(shared, SERVICE, OrderBook, HANDLERS).handle(records([reserved]))
    who = bearer(customer)
    assert await found(api, who, status="PENDING") == ids(pending)
    assert await found(api, who, status=["PENDING", "CANCELLED"]) == ids(cancelled, pending)
    assert await found(api, who, status="REJECTED") == []


async def test_orders_are_found_by_what_is_in_them(api: API, commit: Commit) -> None:
    customer = uuid7()
    mugs = await bought(commit, customer, "Enamel Mug", "Spoon")
    percent = await bought(commit, customer, "Soap 100%_\\")
    await bought(commit, uuid7(), "Enamel Mug")
    who, sku = bearer(customer), mugs.lines[1].sku
    for text in ("enamel m", "SPOON", sku, sku.lower()[8:], str(mugs.id), str(mugs.id)[-12:].upper()):
        assert await found(api, who, q=text) == ids(mugs), text
    for text in ("100%_\\", "%", "_", "\\"):
        assert await found(api, who, q=text) == ids(percent), text
    for text in ("unit_price", "EUR", "'", "{"):
        assert await found(api, who, q=text) == [], text


async def test_orders_are_found_by_the_time_they_were_placed(api: API, commit: Commit) -> None:
    customer = uuid7()
    first, second, third = [await bought(commit, customer, "Mug") for _ in range(3)]
    who, at, soon = bearer(customer), second.placed_at.isoformat(), third.placed_at.isoformat()
    assert await found(api, who, placed_from=at) == ids(third, second)
    assert await found(api, who, placed_to=at) == ids(first)
    assert await found(api, who, placed_from=at, placed_to=soon) == ids(second)
    assert await found(api, who, placed_from=soon, placed_to=at) == []
    hour = timedelta(hours=1)
    assert await found(api, who, placed_from=(datetime.now(UTC) + hour).isoformat()) == []
    assert await found(api, who, placed_to=(datetime.now(UTC) - hour).isoformat()) == []


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59"])
async def test_any_time_there_is_can_be_asked_for(api: API, moment: str) -> None:
    for name in ("placed_from", "placed_to"):
        assert await found(api, bearer(), **{name: moment}) == []


@pytest.mark.parametrize("moment", ["0", "-1", "0.5", "1e9", "2026", "2026-01-03", "2026-01-03T00:00:00", "soon"])
async def test_what_is_no_time_of_a_zone_is_refused(api: API, moment: str) -> None:
    answer = await api.get("/v1/orders", headers=bearer(), params={"placed_from": moment})
    refused(answer, 422, "malformed_request")


async def test_staff_asks_for_a_customers_orders_and_nobody_for_somebody_elses(api: API, commit: Commit) -> None:
    customer = uuid7()
    order = await bought(commit, customer, "Mug")
    assert await found(api, STAFF, customer_id=str(customer)) == ids(order)
    assert await found(api, bearer(customer), customer_id=str(customer)) == ids(order)
    for stranger in (bearer(), bearer(role="ops")):
        assert await found(api, stranger, customer_id=str(customer)) == []


async def test_what_is_rare_is_found_in_pages_that_look_at_so_many_orders_each(
    api: API, commit: Commit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_svc.history, "EXAMINED", 3)
    customer = uuid7()
    names = ["Jug", "Mug", "Mug", "Mug", "Mug", "Mug", "Jug", "Jug", "Jug", "Mug"]
    placed = [await bought(commit, customer, name) for name in names]
    jugs = [order for order, name in zip(placed, names, strict=True) if name == "Jug"][::-1]
    who = bearer(customer)
    page = (await api.get("/v1/orders", params={"q": "jug"}, headers=who)).json()
    assert [order["id"] for order in page["items"]] == ids(*jugs[:2]), "of the newest three"
    for limit in (1, 2, 3, 50):
        assert await found(api, who, q="jug", limit=limit) == ids(*jugs), limit
    assert await found(api, who, limit=4) == ids(*placed[::-1]), "all of them need not be looked at"


async def test_a_narrowed_page_stays_when_others_are_placed(api: API, commit: Commit) -> None:
    customer = uuid7()
    placed = [await bought(commit, customer, "Jug") for _ in range(3)]
    who = bearer(customer)
    page = (await api.get("/v1/orders", params={"q": "jug", "limit": 1}, headers=who)).json()
    await bought(commit, customer, "Jug")
    assert await found(api, who, q="jug", before=page["next"]) == ids(*placed[1::-1])


@pytest.mark.parametrize(
    "query",
    [
        *(f"status={status}" for status in ("", "pending", "NONE", "%00", "PENDING&status=x")),
        *(
            f"placed_from={moment}"
            for moment in ("", "soon", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "9" * 400)
        ),
        *(f"placed_to={moment}" for moment in ("nan", "inf", "1e400", "10000-01-01T00:00:00Z", "%ff")),
        *(f"q={text}" for text in ("", "%00", "a%0ab", "x" * 101, "%E2%80%A8")),
        *(f"customer_id={customer}" for customer in ("", "x", "null", "%00")),
    ],
)
async def test_a_filter_that_is_none_is_malformed(api: API, query: str) -> None:
    malformed_at(await api.get(f"/v1/orders?{query}", headers=STAFF))
