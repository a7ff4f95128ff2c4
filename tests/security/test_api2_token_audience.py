"""API2:2023 Broken Authentication: a token of one service that is used at another, on the running platform.

Tried: for each of the four services a token for it alone, at all four; a token for nobody, and one for the audience
of earlier versions.
"""

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.http.auth import Issuer, Principal
from tests.responses import assert_problem
from tests.stack import CUSTOMER_PASSWORD, OPS, Stack

SERVICES = ("customer", "product", "order", "notifier")
SUMMARY = "/v1/ops/summary"


def signed(shop: Stack, *audiences: str) -> dict[str, str]:
    """The header of an operator with a token that customer_svc could have issued."""
    key = Path(shop.commands["customer"].env["JWT_PRIVATE_KEY_FILE"]).read_bytes()
    token = Issuer(key, "shopstream", audiences, 900).issue(Principal(uuid7(), "ops"))
    return {"Authorization": f"Bearer {token}"}


async def read(shop: Stack, service: str, who: dict[str, str]) -> httpx.Response:
    return await shop.http.get(f"{shop.urls[service]}{SUMMARY}", headers=who)


def claims(who: dict[str, str]) -> Any:
    payload = who["Authorization"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=="))


@pytest.mark.parametrize("service", SERVICES)
async def test_a_token_for_one_service_is_refused_by_the_others(shop: Stack, service: str) -> None:
    who = signed(shop, f"{service}_svc")
    assert (await read(shop, service, who)).status_code == 200
    for other in set(SERVICES) - {service}:
        assert_problem(await read(shop, other, who), 401, "unauthenticated")


@pytest.mark.parametrize("audiences", [(), ("shopstream",), ("order", "svc", "*")], ids=["none", "former", "others"])
async def test_a_token_for_no_service_is_refused_by_all(shop: Stack, audiences: tuple[str, ...]) -> None:
    who = signed(shop, *audiences)
    for service in SERVICES:
        assert_problem(await read(shop, service, who), 401, "unauthenticated")


async def test_a_log_in_gives_a_token_that_names_every_service(shop: Stack) -> None:
    who = await shop.log_in(*OPS)
    assert claims(who)["aud"] == [f"{service}_svc" for service in SERVICES]
    for service in SERVICES:
        assert (await read(shop, service, who)).status_code == 200, service


async def test_a_client_with_a_token_of_an_earlier_version_refreshes_its_session(shop: Stack) -> None:
    email, _ = await shop.customer()
    url, body = f"{shop.urls['customer']}/v1/sessions", {"email": email, "password": CUSTOMER_PASSWORD}
    session = (await shop.http.post(url, json=body)).json()
    assert_problem(await read(shop, "order", signed(shop, "shopstream")), 401, "unauthenticated")
    refreshed = await shop.http.post(f"{url}/refresh", json={"refresh_token": session["refresh_token"]})
    who = {"Authorization": f"Bearer {refreshed.json()['access_token']}"}
    assert (await shop.http.get(f"{shop.urls['order']}/v1/orders", headers=who)).status_code == 200
