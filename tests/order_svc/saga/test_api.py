"""Orders that wait for a reply about their stock, as ops see and resolve them."""

import asyncio
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from schemas import AmendmentRefused, OrderAmended, OrderCancelled, OrderPlaced
from tests.order_svc.rest import API, amend, confirmed, lines, place
from tests.order_svc.scenarios import Commit, product, timeline
from tests.outbox import events
from tests.responses import assert_problem

OPS = bearer(role="ops")


async def sagas(api: API, *ids: str, state: str = "stuck") -> list[dict[str, Any]]:
    """The sagas of these orders, from all pages."""
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"state": state, "limit": 2}
    while True:
        page = (await api.get("/v1/sagas", params=query, headers=OPS)).json()
        found += page["items"]
        if page["next"] is None:
            return [saga for saga in found if saga["order_id"] in ids]
        query["cursor"] = page["next"]


async def age(database: Postgres, *ids: str) -> None:
    statement = (
        "UPDATE orders SET stored_at = stored_at - interval '61 s',"
        " reservation_requested_at = reservation_requested_at - interval '61 s' WHERE id = ANY(:ids)"
    )
    async with database.engine.begin() as connection:
        await connection.execute(sa.text(statement), {"ids": list(ids)})


WHY = "product_svc was down"


async def resolve(api: API, order_id: str, action: str, key: str = "", **who: str) -> Any:
    headers = {**(who or OPS), "Idempotency-Key": key or str(uuid7())}
    body = {"action": action, "why": WHY}
    return await api.post(f"/v1/sagas/{order_id}/resolve", json=body, headers=headers)


async def actions(api: API, order_id: str) -> list[tuple[str, str]]:
    """What ops did to an order, and why; the newest first."""
    found = (await api.get("/v1/ops/actions?limit=200", headers=OPS)).json()["items"]
    return [(one["action"], one["why"]) for one in found if one["subject"] == order_id]


async def test_an_order_that_waits_for_too_long_is_stuck(api: API, shared: Postgres, commit: Commit) -> None:
    headers, sku = bearer(), await product(commit)
    placed, fresh, done = [(await place(api, sku, headers=headers))["id"] for _ in range(2)] + [
        (await confirmed(api, shared, sku, headers))["id"]
    ]
    amended = await confirmed(api, shared, sku, headers)
    await amend(api, amended, headers, lines(**{sku: 7}))
    await age(shared, placed, done, amended["id"])
    stuck = await sagas(api, placed, fresh, done, amended["id"])
    assert [(s["order_id"], s["order_state"], s["step"], s["revision"], s["asked"]) for s in stuck] == [
        (placed, "PENDING", "reserve", 1, 1),
        (amended["id"], "CONFIRMED", "amend", 2, 2),
    ]
    assert all(61 <= saga["seconds"] < 600 for saga in stuck)
    assert len(await sagas(api, placed, fresh, done, amended["id"], state="waiting")) == 3


async def test_stock_is_requested_again_with_a_new_deadline(api: API, shared: Postgres, commit: Commit) -> None:
    placed = (await place(api, await product(commit)))["id"]
    await age(shared, placed)
    response = await resolve(api, placed, "retry")
    assert (response.status_code, response.json()["state"], response.json()["version"]) == (200, "PENDING", 2)
    first, second = await events(shared, placed)
    assert isinstance(first, OrderPlaced)
    assert first == second
    assert await sagas(api, placed) == []
    assert (await timeline(shared, UUID(placed)))[1:] == [
        ("saga.asked_again", {"by": "ops"}),
        ("order.placed", {"state": "PENDING"}),
    ]


async def test_an_order_without_a_reply_is_cancelled(api: API, shared: Postgres, commit: Commit) -> None:
    placed = (await place(api, await product(commit)))["id"]
    ended = (await resolve(api, placed, "cancel")).json()
    assert (ended["state"], ended["reason"], ended["note"]) == ("CANCELLED", "staff", "No reply about the stock.")
    assert isinstance((await events(shared, placed))[-1], OrderCancelled)
    for action in ("cancel", "retry"):
        assert assert_problem(await resolve(api, placed, action), 409, "transition_not_allowed")["allowed"] == []
    assert [kind for kind, _ in await timeline(shared, UUID(placed))][1:] == ["saga.given_up", "order.cancelled"]


async def test_a_resolution_is_recorded_with_its_reason_which_the_customer_is_not_shown(
    api: API, shared: Postgres, commit: Commit
) -> None:
    placed = (await place(api, await product(commit)))["id"]
    await resolve(api, placed, "retry")
    await resolve(api, placed, "cancel")
    assert await actions(api, placed) == [("saga.cancel", WHY), ("saga.retry", WHY)]
    assert ("saga.asked_again", {"by": "ops"}) in await timeline(shared, UUID(placed))


async def test_a_resolution_that_is_refused_is_not_recorded(api: API, shared: Postgres, commit: Commit) -> None:
    one = (await confirmed(api, shared, await product(commit), bearer()))["id"]
    assert_problem(await resolve(api, one, "retry"), 409, "transition_not_allowed")
    assert await actions(api, one) == []


async def test_a_repeated_resolution_is_done_once_even_at_the_same_time(
    api: API, shared: Postgres, commit: Commit
) -> None:
    placed, key = (await place(api, await product(commit)))["id"], str(uuid7())
    for responses in (
        await asyncio.gather(*(resolve(api, placed, "retry", key) for _ in range(5))),
        [await resolve(api, placed, "retry", key)],
    ):
        assert {(one.status_code, one.json()["version"]) for one in responses} == {(200, 2)}
    assert [entry for entry in await timeline(shared, UUID(placed)) if entry[0].startswith("saga.")] == [
        ("saga.asked_again", {"by": "ops"})
    ]
    assert await actions(api, placed) == [("saga.retry", WHY)]
    assert_problem(await resolve(api, placed, "cancel", key), 422, "idempotency_key_reused")


async def test_resolving_an_order_that_does_not_wait_is_refused_with_the_allowed_actions(
    api: API, shared: Postgres, commit: Commit
) -> None:
    one = await confirmed(api, shared, await product(commit), bearer())
    for action in ("cancel", "retry"):
        problem = assert_problem(await resolve(api, one["id"], action), 409, "transition_not_allowed")
        assert problem["allowed"] == ["amend", "cancel", "ship"]


async def test_an_amendment_without_a_reply_is_requested_again_or_withdrawn(
    api: API, shared: Postgres, commit: Commit
) -> None:
    headers, sku = bearer(), await product(commit)
    one = await confirmed(api, shared, sku, headers)
    await amend(api, one, headers, lines(**{sku: 7}))
    await resolve(api, one["id"], "retry")
    ended = (await resolve(api, one["id"], "cancel")).json()
    assert (ended["state"], ended["amendment"], ended["revision"]) == ("CONFIRMED", None, 1)
    published = (await events(shared, one["id"]))[2:]
    assert [type(event) for event in published] == [OrderAmended, OrderAmended, AmendmentRefused]
    assert [entry for entry in await timeline(shared, UUID(one["id"])) if entry[0].startswith("saga.")] == [
        ("saga.asked_again", {"by": "ops"}),
        ("saga.given_up", {"by": "ops"}),
    ]


async def test_only_ops_see_and_resolve_sagas(api: API, commit: Commit) -> None:
    for headers in (bearer(), bearer(role="staff")):
        assert_problem(await api.get("/v1/sagas", headers=headers), 403, "forbidden")
        assert_problem(await resolve(api, str(uuid7()), "retry", **headers), 403, "forbidden")
    assert_problem(await resolve(api, str(uuid7()), "retry"), 404, "order_not_found")
