"""Orders that wait for an answer, as those see and resolve them who run the shop."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from order_svc.store import OrderBook
from schemas import AmendmentRefused, OrderAmended, OrderCancelled, OrderPlaced
from tests.answers import refused
from tests.order_svc.orders import product, timeline
from tests.order_svc.test_amending import amend, confirmed, lines
from tests.order_svc.test_api import API, order
from tests.outbox import events

Commit = GroupCommit[OrderBook]
OPS = bearer(role="ops")


async def sagas(api: API, *ids: str, state: str = "stuck") -> list[dict[str, Any]]:
    """Those of some orders, from all pages."""
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"state": state, "limit": 2}
    while True:
        page = (await api.get("/v1/sagas", params=query, headers=OPS)).json()
        found += page["items"]
        if page["next"] is None:
            return [saga for saga in found if saga["order_id"] in ids]
        query["after"] = page["next"]


async def let_wait(database: Postgres, *ids: str) -> None:
    statement = (
        "UPDATE orders SET stored_at = stored_at - interval '61 s', asked_at = asked_at - interval '61 s'"
        " WHERE id = ANY(:ids)"
    )
    async with database.engine.begin() as connection:
        await connection.execute(sa.text(statement), {"ids": list(ids)})


async def resolve(api: API, order_id: str, action: str) -> Any:
    return await api.post(f"/v1/sagas/{order_id}/resolve", json={"action": action}, headers=OPS)


async def test_what_waits_for_too_long_is_stuck(api: API, shared: Postgres, commit: Commit) -> None:
    who, sku = bearer(), await product(commit)
    placed, fresh, done = [(await order(api, sku, who=who))["id"] for _ in range(2)] + [
        (await confirmed(api, shared, sku, who))["id"]
    ]
    amended = await confirmed(api, shared, sku, who)
    await amend(api, amended, who, lines(**{sku: 7}))
    await let_wait(shared, placed, done, amended["id"])
    stuck = await sagas(api, placed, fresh, done, amended["id"])
    assert [(s["order_id"], s["order_state"], s["step"], s["revision"], s["asked"]) for s in stuck] == [
        (placed, "PENDING", "reserve", 1, 1),
        (amended["id"], "CONFIRMED", "amend", 2, 2),
    ]
    assert all(61 <= saga["seconds"] < 600 for saga in stuck)
    assert len(await sagas(api, placed, fresh, done, amended["id"], state="waiting")) == 3


async def test_stock_is_asked_for_again_with_another_deadline(api: API, shared: Postgres, commit: Commit) -> None:
    placed = (await order(api, await product(commit)))["id"]
    await let_wait(shared, placed)
    answer = await resolve(api, placed, "retry")
    assert (answer.status_code, answer.json()["state"], answer.json()["version"]) == (200, "PENDING", 2)
    first, second = await events(shared, placed)
    assert isinstance(first, OrderPlaced)
    assert first == second
    assert await sagas(api, placed) == []
    assert (await timeline(shared, UUID(placed)))[1:] == [
        ("saga.asked_again", {"by": "ops"}),
        ("order.placed", {"state": "PENDING"}),
    ]


async def test_an_order_that_nobody_answers_is_cancelled(api: API, shared: Postgres, commit: Commit) -> None:
    placed = (await order(api, await product(commit)))["id"]
    ended = (await resolve(api, placed, "cancel")).json()
    assert (ended["state"], ended["reason"], ended["note"]) == ("CANCELLED", "staff", "No answer about the stock.")
    assert isinstance((await events(shared, placed))[-1], OrderCancelled)
    for action in ("cancel", "retry"):
        assert refused(await resolve(api, placed, action), 409, "not_possible_now")["allowed"] == []
    assert [kind for kind, _ in await timeline(shared, UUID(placed))][1:] == ["saga.given_up", "order.cancelled"]


async def test_who_resolves_what_does_not_wait_is_told_what_the_order_can_do(
    api: API, shared: Postgres, commit: Commit
) -> None:
    one = await confirmed(api, shared, await product(commit), bearer())
    for action in ("cancel", "retry"):
        problem = refused(await resolve(api, one["id"], action), 409, "not_possible_now")
        assert problem["allowed"] == ["amend", "cancel", "ship"]


async def test_an_amendment_that_nobody_answers_is_asked_for_again_or_withdrawn(
    api: API, shared: Postgres, commit: Commit
) -> None:
    who, sku = bearer(), await product(commit)
    one = await confirmed(api, shared, sku, who)
    await amend(api, one, who, lines(**{sku: 7}))
    await resolve(api, one["id"], "retry")
    ended = (await resolve(api, one["id"], "cancel")).json()
    assert (ended["state"], ended["amendment"], ended["revision"]) == ("CONFIRMED", None, 1)
    told = (await events(shared, one["id"]))[2:]
    assert [type(event) for event in told] == [OrderAmended, OrderAmended, AmendmentRefused]
    assert [entry for entry in await timeline(shared, UUID(one["id"])) if entry[0].startswith("saga.")] == [
        ("saga.asked_again", {"by": "ops"}),
        ("saga.given_up", {"by": "ops"}),
    ]


async def test_sagas_are_for_ops_only(api: API, commit: Commit) -> None:
    for who in (bearer(), bearer(role="staff")):
        refused(await api.get("/v1/sagas", headers=who), 403, "forbidden")
        answer = await api.post(f"/v1/sagas/{uuid7()}/resolve", json={"action": "retry"}, headers=who)
        refused(answer, 403, "forbidden")
    refused(await resolve(api, str(uuid7()), "retry"), 404, "order_unknown")
