"""API7:2023, server side request forgery: which addresses a service connects to, and who chooses them.

Nobody but the settings. Read from the source: the modules that open connections are the seven below. Tried, with a
server that counts who connects to it: access tokens with a key, or its address, in the header (``jku``, ``x5u``,
``jwk``, ``kid``), five of them in every service; its address in every text of every body and in every parameter that
a route takes, by those who may use it (some two hundred requests), and in the headers that name hosts; a redirect in
place of keys; SKUs that are paths and addresses.
"""

import ast
import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey
from joserfc.jws import JWSRegistry
from uuid_utils.compat import uuid7

from chassis.http.errors import Unavailable
from chassis.http.remote_verifier import RemoteVerifier
from chassis.testing import issuer
from order_svc.clients.product import ProductClient
from tests.contracts.guards import DEACTIVATES, ENDS_SESSIONS, GUARDS
from tests.contracts.shop import Belongings, Shop, filled
from tests.listening import listening
from tests.order_svc.product_stub import open_product_stub
from tests.responses import assert_problem
from tests.security.attempts import ROUTES, attempt, names, operation, token_for
from tests.security.schemas import JSON, instance

ROOT = Path(__file__).parents[2]
CONNECTING = {
    "chassis/http/remote_verifier.py": "JWKS_URL",
    "chassis/messaging/relay.py": "KAFKA_BOOTSTRAP_SERVERS",
    "chassis/messaging/subscription.py": "KAFKA_BOOTSTRAP_SERVERS",
    "chassis/messaging/topic_reader.py": "KAFKA_BOOTSTRAP_SERVERS",
    "chassis/runtime/event_loop.py": "KAFKA_BOOTSTRAP_SERVERS",
    "chassis/runtime/span_export.py": "OTEL_EXPORTER_OTLP_ENDPOINT",
    "customer_svc/clients/exports.py": "ORDER_URL, NOTIFIER_URL",
    "notifier_svc/delivery/smtp.py": "SMTP_URL",
    "order_svc/clients/product.py": "PRODUCT_URL",
}
"""The modules that connect to anything but their database → the settings that say where to."""
CLIENTS = {"AsyncClient", "Client", "SMTP", "urlopen", "open_connection", "create_connection", "ClientSession"} | {
    *("AIOKafkaProducer", "AIOKafkaConsumer", "AIOKafkaAdminClient", "App", "ServiceClient", "OTLPSpanExporter"),
}
"""What opens connections, in the libraries that we use and in Python's own."""


class Bait:
    """A server that nobody should connect to."""

    def __init__(self) -> None:
        self.url, self.visits = "", 0

    async def serve(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


@pytest.fixture(scope="module")
async def bait() -> AsyncIterator[Bait]:
    made = Bait()
    async with listening(made.serve) as made.url:
        yield made


@pytest.fixture(autouse=True)
async def _nobody_comes(bait: Bait) -> AsyncIterator[None]:
    yield
    await asyncio.sleep(0)
    assert bait.visits == 0


def test_the_modules_that_connect_to_anything_are_known() -> None:
    folders = ("chassis", "schemas", *(f"{service}_svc" for service in GUARDS))
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py") if path.name != "testing.py"]
    assert {str(path.relative_to(ROOT)) for path in files if any(_connections(path))} == CONNECTING.keys()


def _connections(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in CLIENTS:
                yield name


async def test_the_bait_notices_a_visit() -> None:
    made = Bait()
    async with listening(made.serve) as url, httpx.AsyncClient() as client:
        await client.get(url)
    assert made.visits == 1


@pytest.mark.parametrize("service", GUARDS)
async def test_the_address_of_a_key_in_a_token_is_not_read(rest: Shop, bait: Bait, service: str) -> None:
    own = OKPKey.generate_key("Ed25519")
    claims: dict[str, Any] = {
        "iss": "shopstream",
        "aud": ["shopstream", f"{service}_svc"],
        "sub": str(uuid7()),
        "role": "ops",
        "jti": str(uuid7()),
    }
    claims |= {"iat": 1, "exp": 9_999_999_999, "verified": True, "epoch": 0}
    [published] = issuer().jwks()["keys"]
    headers: list[dict[str, Any]] = [
        {"jku": f"{bait.url}/jwks.json"},
        {"x5u": f"{bait.url}/chain.pem"},
        {"kid": f"{bait.url}/key"},
        {"kid": published["kid"], "jku": bait.url, "x5u": bait.url},
        {"jwk": own.as_dict(private=False), "x5c": ["MIIB"]},
    ]
    for header in headers:
        registry = JWSRegistry(algorithms=["Ed25519"], strict_check_header=False)
        token = jwt.encode({"alg": "Ed25519", **header}, claims, own, registry=registry)
        response = await rest.request(service, "GET", "/v1/ops/summary", {"Authorization": f"Bearer {token}"})
        assert_problem(response, 401, "unauthenticated")


HARMLESS = [(service, route) for service, route in ROUTES if route not in ENDS_SESSIONS | {DEACTIVATES}]


@pytest.mark.parametrize(("service", "route"), HARMLESS, ids=names(HARMLESS))
async def test_an_address_anywhere_in_a_request_is_not_visited(
    rest: Shop, stranger: Belongings, bait: Bait, service: str, route: str
) -> None:
    described, guard = operation(service, route), GUARDS[service][route]
    query = {one["name"]: bait.url for one in described.get("parameters", []) if one["in"] == "query"}
    headers = dict.fromkeys(("Referer", "Origin", "X-Forwarded-Host", "X-Callback-Url", "Link"), bait.url)
    headers |= {"Host": bait.url.removeprefix("http://"), "Forwarded": f"host={bait.url}"}
    content = described.get("requestBody", {}).get("content", {}).get(JSON)
    body = filled(guard.body, stranger.ids) if guard.body else content and instance(service, content["schema"])
    who = token_for(guard.who, stranger)
    response = await attempt(rest, service, route, who, stranger.ids, headers=headers)
    assert response.status_code < 500 or response.status_code == 503
    if query or body:
        # An address is no valid value of most.
        response = await attempt(rest, service, route, who, stranger.ids, query=query, body=_baited(body, bait.url))
        assert response.status_code < 500 or response.status_code == 503


async def test_the_images_of_a_product_are_only_kept(rest: Shop, stranger: Belongings, bait: Bait) -> None:
    staff, images = token_for("staff", stranger), [f"{bait.url}/mug.png"]
    body = {"name": "Mug", "images": images, "variants": [{"sku": f"SKU-{uuid7()}", "price": _PRICE}]}
    made = await rest.create("product", "/v1/products", staff, body)
    shown = await rest.request("product", "GET", f"/v1/products/{made['id']}", {})
    assert shown.json()["images"] == images


_PRICE = {"amount": 1250, "currency": "EUR"}


async def test_keys_are_not_read_from_where_a_redirect_leads(bait: Bait) -> None:
    async def redirect(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 302 Found\r\nLocation: {bait.url}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    async with listening(redirect) as url:
        verifier = RemoteVerifier(f"{url}/.well-known/jwks.json", "shopstream", "shopstream")
        with pytest.raises(Unavailable):
            await verifier.refresh()
        await verifier.close()


async def test_a_sku_is_a_parameter_whatever_it_looks_like(bait: Bait) -> None:
    odd = ["../../ops/summary", bait.url, f"@{bait.url}", "x&sku=y#", "//evil.example/", "a\r\nHost: evil.example"]
    async with open_product_stub() as stub:
        client = ProductClient(stub.url)
        assert await client.find(odd) == []
        await client.close()
        assert stub.requests == [odd]


def _baited(value: Any, url: str) -> Any:
    """A body with an address in place of every text."""
    if isinstance(value, str):
        return url
    if isinstance(value, list):
        return [_baited(one, url) for one in value]
    return {name: _baited(one, url) for name, one in value.items()} if isinstance(value, dict) else value
