"""Whatever is asked for, right or wrong: no 500, no answer that is not in the OpenAPI, no wrong body accepted."""

import asyncio
from collections.abc import Mapping

import pytest

from chassis.testing import bearer
from tests.contracts.fronts import Fronts
from tests.contracts.fuzz import findings
from tests.contracts.guards import EVERYWHERE, GUARDS
from tests.contracts.shop import Belongings, Shop


@pytest.fixture(scope="module")
async def spoiled(shop: Shop) -> Belongings:
    """For this module alone, which will leave little of it as it was."""
    return await shop.furnish()


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody here answers about stock, however long a request would wait, nor looks at how long others take."""
    monkeypatch.setattr("order_svc.orders.prefer_wait.MOST_SECONDS", 0.05)
    monkeypatch.setattr("customer_svc.api.needs.ANSWER_SECONDS", 0)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("who", ["anybody", "customer", "staff", "ops"])
@pytest.mark.parametrize("service", GUARDS)
async def test_a_front_answers_as_it_says(fronts: Fronts, spoiled: Belongings, service: str, who: str) -> None:
    roles = {"anybody": {}, "staff": bearer(role="staff"), "ops": bearer(role="ops")}
    headers: Mapping[str, str] = roles.get(who, spoiled.owner.headers)
    # What is the same everywhere is asked for at one of them.
    routes = {
        route
        for route, guard in GUARDS[service].items()
        if (guard.who == who if who in roles else guard.who not in roles)
        and (route not in EVERYWHERE or service == "notifier")
        # Server-sent events have no end that could be waited for.
        and not route.endswith("/stream")
    }
    if routes:
        found = await asyncio.to_thread(findings, fronts, service, routes, headers, spoiled)
        assert not found, "\n\n".join(found)
