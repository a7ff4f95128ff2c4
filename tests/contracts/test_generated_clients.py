"""Clients that are generated from the OpenAPI documents: nothing is left out, and a customer orders with them."""

import asyncio
import importlib
import json
import re
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chassis.testing import bearer
from tests.contracts.apps import SERVICES, described, routes
from tests.contracts.client_generator import generate_clients
from tests.contracts.rest_apis import RestApis
from tests.contracts.shop import ADDRESS, PASSWORD, Shop

SENT_AS_BYTES = {"application/x-ndjson", "text/csv"}
"""Types of bodies that the generator does not know, of routes that take bytes as well."""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Service → what the generator says of it; the clients can be imported as ``generated_<service>``."""
    home = tmp_path_factory.mktemp("clients")
    said = generate_clients(
        {home / f"generated_{service}": json.dumps(document) for service, document in described().items()}
    )
    sys.path.insert(0, str(home))
    yield {package.name.removeprefix("generated_"): what for package, what in said.items()}
    sys.path.remove(str(home))


def part(service: str, name: str) -> Any:
    """A module of a generated client."""
    return importlib.import_module(f"generated_{service}.{name}")


class Client:
    """A generated client of a service; ``token`` is an access token."""

    def __init__(self, apis: RestApis, service: str, token: str | None = None) -> None:
        kinds, url = part(service, "client"), apis.urls[service]
        self.service = service
        self.client = kinds.AuthenticatedClient(base_url=url, token=token) if token else kinds.Client(base_url=url)

    async def call(self, function: str, status: int, *path: Any, body: Any = None, **parameters: Any) -> Any:
        """Call the function of a route; return what it returns, after a look at the status."""
        if body is not None:
            parameters["body"] = body
        found = await part(self.service, f"api.{function}").asyncio_detailed(*path, client=self.client, **parameters)
        assert found.status_code == status, found.content
        return found.parsed

    async def close(self) -> None:
        """Close the connections of both of its clients."""
        self.client.get_httpx_client().close()
        await self.client.get_async_httpx_client().aclose()

    def body(self, model: str, values: Mapping[str, Any]) -> Any:
        """A body of a request."""
        return getattr(part(self.service, "models"), model).from_dict(values)


@asynccontextmanager
async def connected(apis: RestApis, service: str, token: str | None = None) -> AsyncIterator[Client]:
    """A client, closed at the end."""
    client = Client(apis, service, token)
    yield client
    await client.close()


@pytest.mark.parametrize("service", SERVICES)
def test_no_route_is_left_out(generated: Mapping[str, str], service: str) -> None:
    api = Path(part(service, "api").__file__).parent
    functions = [path for path in api.rglob("*.py") if path.name != "__init__.py"]
    assert len(functions) == len(routes(service))
    warnings = re.findall(r"^(?:WARNING|ERROR) (.*)$", generated[service], re.M)
    unknown = set(re.findall(r"Unsupported content type (\S+)", generated[service]))
    assert unknown <= SENT_AS_BYTES
    assert all("POST /v1/imports/{import_id}/parts" in one for one in warnings), generated[service]


async def test_a_customer_orders_what_staff_have_imported(
    generated: Mapping[str, str], apis: RestApis, shop: Shop
) -> None:
    assert generated
    sku = f"MUG-{uuid4().hex[:8]}"
    staff_token = bearer(role="staff")["Authorization"].removeprefix("Bearer ")
    async with connected(apis, "product", staff_token) as staff, connected(apis, "customer") as anonymous:
        await _import_product(staff, sku)
        exported = await staff.call("products.export_products", 200, "ndjson")
        person = await shop.register()
        credentials = anonymous.body("Credentials", {"email": person.email, "password": PASSWORD})
        session = await anonymous.call("sessions.log_in", 201, body=credentials)
    assert sku in {variant["sku"] for line in exported.splitlines() for variant in json.loads(line)["variants"]}
    async with connected(apis, "customer", session.access_token) as customer:
        assert (await customer.call("customers.read_own_account", 200)).email == person.email
    async with connected(apis, "order", session.access_token) as customer:
        await _order(customer, sku)


async def _order(customer: Client, sku: str) -> None:
    order = customer.body("OrderBody", {"lines": [{"sku": sku, "quantity": 2}], "shipping_address": ADDRESS})
    placed = await customer.call("orders.place_order", 202, body=order, idempotency_key=str(uuid4()))
    assert (placed.state, placed.total.amount) == ("PENDING", 2500)
    found = await customer.call("orders.read_order", 200, placed.id)
    assert [(line.sku, line.quantity) for line in found.lines] == [(sku, 2)]
    assert [one.id for one in (await customer.call("orders.list_orders", 200)).items] == [placed.id]
    missing = await customer.call("orders.read_order", 404, uuid4())
    assert missing.code == "order_not_found"


async def _import_product(staff: Client, sku: str) -> None:
    begun = await staff.call(
        "imports.begin_import", 201, body=staff.body("ImportBody", {"format": "ndjson", "lines": 1})
    )
    line = {"name": "Mug", "variants": [{"sku": sku, "price": {"amount": 1250, "currency": "EUR"}}]}
    file = part("product", "types").File(payload=BytesIO(json.dumps(line).encode() + b"\n"))
    # With the client that waits: the generator has no other for files.
    sent = await asyncio.to_thread(
        part("product", "api.imports.send_part").sync_detailed, begun.id, client=staff.client, body=file, first_line=1
    )
    assert sent.status_code == 200, sent.content
    assert (sent.parsed.created, sent.parsed.failed) == (1, 0)
