"""API8:2023 Security Misconfiguration: what the processes of the running platform show to everybody on the network.

Tried on all eight: ``/metrics`` at the address of the API, 4 times, and responses that a browser could take for
something else or a cache could keep, among them those that no route makes. Which header each route has is tried in
``tests/contracts/test_guards.py``, formulas in exports in ``tests/product_svc/imports/test_lines.py``.
"""

import asyncio
from urllib.parse import urlsplit

import pytest

from chassis.runtime.bounded_http import MAX_HEADER_BYTES
from tests.responses import assert_problem
from tests.stack import Stack

FRONTS = ("customer", "product", "order", "notifier")
WORKERS = tuple(f"{name}-worker" for name in FRONTS)
LISTENERS = (*FRONTS, *WORKERS, *(f"{name}-metrics" for name in FRONTS))
BROKEN = {
    400: b"no HTTP\r\n\r\n",
    431: b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * (MAX_HEADER_BYTES + 1) + b"\r\n\r\n",
}
"""Status → a request that is answered with it before an app sees it."""


@pytest.mark.parametrize("service", FRONTS)
async def test_the_metrics_of_a_rest_process_are_not_at_the_address_of_its_api(shop: Stack, service: str) -> None:
    assert_problem(await shop.http.get(f"{shop.urls[service]}/metrics"), 404, "not_found")
    metrics = await shop.http.get(f"{shop.urls[f'{service}-metrics']}/metrics")
    assert metrics.status_code == 200
    assert "shop_http_request_seconds" in metrics.text
    for listener in (service, f"{service}-metrics"):
        health = await shop.http.get(f"{shop.urls[listener]}/health/ready")
        assert (health.status_code, health.json()["checks"]) == (200, {"database": "ok"})
    api = await shop.http.get(f"{shop.urls[f'{service}-metrics']}/openapi.json")
    assert api.status_code == 404, "it serves nothing else"


@pytest.mark.parametrize("listener", LISTENERS)
async def test_no_response_may_be_kept_or_taken_for_another_type(shop: Stack, listener: str) -> None:
    for path in ("/health/live", "/health/ready", "/metrics", "/nowhere"):
        response = await shop.http.get(f"{shop.urls[listener]}{path}")
        assert response.headers.get_list("x-content-type-options") == ["nosniff"], path
        assert response.headers.get_list("cache-control") == ["no-store"], path


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("status", BROKEN)
async def test_a_response_that_no_app_makes_has_the_same_headers(shop: Stack, listener: str, status: int) -> None:
    address = urlsplit(shop.urls[listener])
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(BROKEN[status])
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert head.lower().count(b"x-content-type-options: nosniff\r\n") == 1
    assert head.lower().count(b"cache-control: no-store\r\n") == 1
    assert b"application/problem+json" in head
