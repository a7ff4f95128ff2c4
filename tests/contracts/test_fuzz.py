"""Whatever the request: no 500, no undocumented response, no invalid body accepted."""

import asyncio
from collections.abc import Mapping

import pytest

from chassis.http.auth import Principal
from chassis.testing import bearer, issuer
from tests.contracts.fuzz import findings
from tests.contracts.guards import ENDS_SESSIONS, EVERYWHERE, GUARDS
from tests.contracts.rest_apis import RestApis
from tests.contracts.shop import Belongings, Shop


@pytest.fixture(scope="module")
async def data(shop: Shop) -> Belongings:
    """Data for this module only, which will change most of it."""
    return await shop.create_data()


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for replies about stock, which never come here, nor for other services."""
    monkeypatch.setattr("order_svc.orders.prefer_wait.MOST_SECONDS", 0.05)
    monkeypatch.setattr("customer_svc.accounts.response_timing.MIN_SECONDS", 0)


@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("who", ["anybody", "customer", "staff", "ops"])
@pytest.mark.parametrize("service", GUARDS)
async def test_an_api_responds_as_documented(apis: RestApis, data: Belongings, service: str, who: str) -> None:
    roles = {"anybody": {}, "staff": bearer(role="staff"), "ops": bearer(role="ops")}
    owner = data.owner.headers if service == "customer" else _unrevoked(data)
    headers: Mapping[str, str] = roles.get(who, owner)
    # Routes that all services share are tested once.
    routes = {
        route
        for route, guard in GUARDS[service].items()
        if (guard.who == who if who in roles else guard.who not in roles)
        and (route not in EVERYWHERE or service == "notifier")
        # Streams of server-sent events do not end.
        and not route.endswith("/stream")
    }
    if routes:
        # Those that end the sessions of the client come last.
        runs = [some for some in (routes - ENDS_SESSIONS, routes & ENDS_SESSIONS) if some]
        found = [
            one for some in runs for one in await asyncio.to_thread(findings, apis, service, some, headers, data)
        ]
        assert not found, "\n\n".join(found)


def _unrevoked(data: Belongings) -> Mapping[str, str]:
    """A token of the owner that no earlier test has revoked."""
    token = issuer().issue(Principal(data.owner.id, "customer", epoch=1_000_000))
    return {"Authorization": f"Bearer {token}"}
