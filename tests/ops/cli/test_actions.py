"""``shop actions``: what operators have done, in all services, by time."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from ops.platform import SERVICES
from tests.ops.cli.program import assert_failed, run
from tests.ops.cli.stub import LOGIN, Stub, serving

NOW = datetime.now(UTC)


def action(number: int, minutes_ago: float, what: str = "letter.edit") -> dict[str, Any]:
    return {
        "id": f"01a204d0-bc01-74c0-bf12-{number:012}",
        "at": (NOW - timedelta(minutes=minutes_ago)).isoformat(),
        "who": "5f0c2a49-9a52-4d0e-8d57-0f5b6f6f5a01",
        "action": what,
        "subject": f"letter {number}",
        "why": f"reason [{number}]",
        "detail": {},
    }


class Actions(Stub):
    """The list of one service, the newest first, with pages of two."""

    def __init__(self, *items: dict[str, Any]) -> None:
        super().__init__()
        self.items = sorted(items, key=lambda one: str(one["at"]), reverse=True)
        self.app.get("/v1/ops/actions")(self.page)

    async def page(self, limit: int, cursor: int = 0) -> dict[str, Any]:
        assert limit <= 200
        end = cursor + 2
        return {"items": self.items[cursor:end], "next": end if end < len(self.items) else None}


@pytest.fixture(scope="module")
async def env() -> AsyncIterator[dict[str, str]]:
    stubs = {
        "customer": Actions(),
        # Hours apart: the tests may run long after this module was imported.
        "product": Actions(action(1, 900), action(2, 500), action(3, 100)),
        "order": Actions(action(4, 700, "replay.plan"), action(5, 300)),
        "notifier": Actions(*(action(number, 2000 - 10 * number) for number in range(10, 17))),
    }
    async with AsyncExitStack() as stack:
        urls = {name: await stack.enter_async_context(serving(stubs[name].app)) for name in SERVICES}
        yield {f"{name.upper()}_URL": url for name, url in urls.items()} | LOGIN


async def test_actions_of_all_services_are_shown_by_time(env: dict[str, str]) -> None:
    found = (await run("actions", "--json", **env)).json
    assert [one["subject"] for one in found] == [f"letter {number}" for number in (*range(10, 17), 1, 4, 2, 5, 3)]
    assert (found[-1]["service"], found[-2]["service"]) == ("product_svc", "order_svc")
    assert found[-1].keys() == {"service", "id", "at", "who", "action", "subject", "why", "detail"}
    shown = await run("actions", **env)
    assert (shown.status, shown.err) == (0, "")
    assert "reason [3]" in shown.out
    assert "replay.plan" in shown.out


async def test_the_last_actions_of_a_group_or_since_a_time_are_shown(env: dict[str, str]) -> None:
    last = (await run("actions", "--json", "--limit", "2", **env)).json
    assert [one["subject"] for one in last] == ["letter 5", "letter 3"]
    of_group = (await run("actions", "--json", "--group", "order_svc", **env)).json
    assert [one["action"] for one in of_group] == ["replay.plan", "letter.edit"]
    recent = (await run("actions", "--json", "--since", "10h", **env)).json
    assert [one["subject"] for one in recent] == ["letter 2", "letter 5", "letter 3"]
    assert "no actions" in (await run("actions", "--group", "customer_svc", **env)).out


async def test_a_service_without_this_route_is_named(env: dict[str, str]) -> None:
    async with serving(FastAPI()) as older:
        assert_failed(await run("actions", **env | {"ORDER_URL": older}), "cannot list the actions: order: 404: ")
