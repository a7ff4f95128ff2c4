"""The ops API of every service: for the role ops only, consistent snapshots, and closed if a client stops reading."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.http import streaming
from chassis.http.auth import Role
from chassis.testing import bearer, enveloped
from schemas import StockReserved
from tests.ops.world import World, ops, sql
from tests.responses import assert_problem

SERVICES = ["customer", "product", "order", "notifier"]
PATHS = ["summary", "ledger", "outbox", "inbox", "dead-letters"]
READERS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    # By default the kernel buffers tens of megabytes for a client that reads nothing.
    small = httpx.AsyncHTTPTransport(socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)])
    # What is compressed would fit in smaller buffers.
    plain = {"Accept-Encoding": "identity"}
    async with httpx.AsyncClient(timeout=30, transport=small, headers=plain) as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("service", SERVICES)
async def test_only_ops_may_read(world: World, http: httpx.AsyncClient, service: str, path: str) -> None:
    url = f"{world.urls[service]}/v1/ops/{path}"
    assert_problem(await http.get(url), 401, "unauthenticated")
    roles: tuple[Role, ...] = ("customer", "staff")
    for role in roles:
        assert_problem(await http.get(url, headers=bearer(role=role)), 403, "forbidden")
    assert (await http.get(url, headers=await ops())).status_code == 200


@pytest.mark.parametrize("service", SERVICES)
async def test_every_route_documents_its_errors(world: World, http: httpx.AsyncClient, service: str) -> None:
    paths = (await http.get(f"{world.urls[service]}/openapi.json")).json()["paths"]
    for path in PATHS:
        responses = paths[f"/v1/ops/{path}"]["get"]["responses"]
        assert {"200", "401", "403", "503"} <= responses.keys()
        kind = "application/json" if path == "summary" else "application/x-ndjson"
        assert next(iter(responses["200"]["content"])) == kind


@pytest.mark.parametrize("path", PATHS[1:])
async def test_a_client_that_knows_no_ndjson_gets_the_same_bytes_as_a_file(
    world: World, http: httpx.AsyncClient, path: str
) -> None:
    url, wanted = f"{world.urls['order']}/v1/ops/{path}", await ops()
    as_lines = await http.get(url, headers=wanted | {"Accept": "application/x-ndjson, */*;q=0.5"})
    as_file = await http.get(url, headers=wanted | {"Accept": "application/octet-stream"})
    assert as_lines.headers["content-type"] == "application/x-ndjson"
    assert as_file.headers["content-type"] == "application/octet-stream"
    assert (as_file.content, as_file.headers["vary"]) == (as_lines.content, "Accept, Accept-Encoding")


async def test_a_summary_has_the_handled_types_and_what_waits(world: World, http: httpx.AsyncClient) -> None:
    await world.registered()
    customer = (await http.get(f"{world.urls['customer']}/v1/ops/summary", headers=await ops())).json()
    assert customer == {
        "service": "customer_svc",
        "group": "customer_svc",
        "handles": ["erasure.mails_anonymised", "erasure.orders_anonymised"],
        "outbox_waiting": 1,
        "dead_letters": {"dead": 0, "parked": 0},
    }
    notifier = (await http.get(f"{world.urls['notifier']}/v1/ops/summary", headers=await ops())).json()
    assert notifier["handles"] == [
        "customer.email_change_requested",
        "customer.email_change_reverted",
        "customer.email_changed",
        "customer.erased",
        "customer.password_changed",
        "customer.password_reset_requested",
        "customer.profile_changed",
        "customer.registered",
        "customer.registration_repeated",
        "customer.verification_requested",
        "order.amendment_accepted",
        "order.amendment_refused",
        "order.cancelled",
        "order.confirmed",
        "order.delivered",
        "order.parcel_failed",
        "order.rejected",
        "order.remainder_cancelled",
        "order.return_approved",
        "order.return_declined",
        "order.return_requested",
        "order.returned",
        "order.shipped",
        "order.tracking_corrected",
        "stock.low",
    ]


async def test_a_ledger_lists_everything_with_its_version(world: World, http: httpx.AsyncClient) -> None:
    sku = await world.product(5)
    order_id = await world.confirmed(sku)
    [order] = [one for one in await lines(world, http, "order", "ledger") if one.get("id") == str(order_id)]
    assert (order["kind"], order["state"], order["version"]) == ("order", "CONFIRMED", 2)
    assert [(line["sku"], line["quantity"]) for line in order["lines"]] == [(sku, 2)]
    assert 0 <= order["age_seconds"] < 60
    ledger = await lines(world, http, "product", "ledger")
    [stock] = [one for one in ledger if one["kind"] == "stock" and one["sku"] == sku]
    assert (stock["on_hand"], stock["reserved"], stock["version"]) == (5, 2, 1)
    [held] = [one for one in ledger if one["kind"] == "reservation" and one["order_id"] == str(order_id)]
    assert (held["state"], held["lines"], held["version"]) == ("held", [{"sku": sku, "quantity": 2}], 1)
    assert {"kind": "movement", "sku": sku, "delta": 5, "reason": "count", "order_id": None} in ledger
    [mail] = [one for one in await lines(world, http, "notifier", "ledger") if one["order_id"] == str(order_id)]
    assert (mail["template"], mail["state"], mail["doubts"]) == ("receipt", "sent", 0)


@pytest.mark.parametrize("service", SERVICES)
async def test_lines_have_the_fields_of_their_examples(world: World, http: httpx.AsyncClient, service: str) -> None:
    await world.registered()
    await world.confirmed()
    await world.consume(enveloped(StockReserved(order_id=uuid7(), lines=())))
    paths = (await http.get(f"{world.urls[service]}/openapi.json")).json()["paths"]
    seen = set()
    for path in PATHS[1:]:
        example = paths[f"/v1/ops/{path}"]["get"]["responses"]["200"]["content"]["application/x-ndjson"]["example"]
        shown, end = [orjson.loads(line) for line in example.splitlines()]
        assert end == {"kind": "end", "lines": 1}
        for line in await lines(world, http, service, path):
            if line["kind"] == shown["kind"]:
                assert line.keys() == shown.keys(), path
                seen.add(path)
    consumed = set() if service == "customer" else {"inbox"}
    assert seen >= {"ledger"} | consumed | ({"dead-letters"} if service == "order" else set())


async def test_a_dead_letter_is_listed_without_its_content(world: World, http: httpx.AsyncClient) -> None:
    message = enveloped(StockReserved(order_id=uuid7(), lines=()))
    await world.consume(message)
    letters = {letter["event_id"]: letter for letter in await lines(world, http, "order", "dead-letters")}
    letter = letters[str(message.id)]
    assert (letter["state"], letter["reason"]) == ("dead", "handler_failed")
    assert (letter["topic"], letter["key"]) == ("stock.events", message.key)
    assert not letter.keys() & {"headers", "value"}


@pytest.mark.parametrize(("service", "kind"), [("order", "order"), ("product", "product")])
async def test_a_stream_is_a_consistent_snapshot(
    world: World, http: httpx.AsyncClient, many: None, service: str, kind: str
) -> None:
    before = await count(world, http, service, kind)
    async with http.stream("GET", f"{world.urls[service]}/v1/ops/ledger", headers=await ops()) as response:
        chunks = response.aiter_raw()
        body = await anext(chunks)
        await world.product() if service == "product" else await world.placed({await world.product(): 1})
        async for chunk in chunks:
            body += chunk
    found = [orjson.loads(line) for line in body.splitlines()]
    assert len([one for one in found if one["kind"] == kind]) == before
    assert await count(world, http, service, kind) == before + 1


async def test_a_disconnected_client_leaves_no_transaction_open(
    world: World, http: httpx.AsyncClient, many: None
) -> None:
    async with http.stream("GET", f"{world.urls['order']}/v1/ops/ledger", headers=await ops()) as response:
        # Keep a reference: a generator without one is closed, and the connection with it.
        chunks = response.aiter_raw()
        await anext(chunks)
        assert await readers(world) == 1
    async with asyncio.timeout(10):
        while await readers(world):
            await asyncio.sleep(0.02)


async def test_a_client_that_stops_reading_is_disconnected(
    world: World, http: httpx.AsyncClient, many: None, impatient: None
) -> None:
    async with http.stream("GET", f"{world.urls['order']}/v1/ops/ledger", headers=await ops()) as response:
        chunks = response.aiter_raw()
        await anext(chunks)
        async with asyncio.timeout(10):
            while await readers(world):
                await asyncio.sleep(0.02)
        with pytest.raises(httpx.RemoteProtocolError):
            async for _ in chunks:
                pass


@pytest.fixture(scope="module")
async def many(world: World) -> None:
    """So many rows that a stream does not fit into the buffers between server and client."""
    copies = (
        "INSERT INTO orders (id, customer_id, state, lines, total, currency, shipping_address, shortages, version,"
        " placed_at, changed_at) SELECT gen_random_uuid(), gen_random_uuid(), 'REJECTED',"
        " jsonb_build_array(jsonb_build_object('sku', repeat('x', 64), 'quantity', 1, 'name', repeat('y', 400))),"
        " 1, 'EUR', '{}', '[]', 2, now(), now() FROM generate_series(1, 20000)"
    )
    await sql(world.orders, copies)
    documents = [{"_id": n, "name": "x" * 99, "version": 1, "changed_at": 0} for n in range(20_000)]
    for document in documents:
        document["variants"] = [{"sku": f"many-{document['_id']}"}]
    await world.products.db.products.insert_many(documents)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "SLOW_SECONDS", 0.2)


async def lines(world: World, http: httpx.AsyncClient, service: str, path: str) -> list[dict[str, Any]]:
    response = await http.get(f"{world.urls[service]}/v1/ops/{path}", headers=await ops())
    assert response.headers["content-type"] == "application/x-ndjson"
    found: list[dict[str, Any]] = [orjson.loads(line) for line in response.content.splitlines()]
    assert found.pop() == {"kind": "end", "lines": len(found)}
    return found


async def count(world: World, http: httpx.AsyncClient, service: str, kind: str) -> int:
    return len([one for one in await lines(world, http, service, "ledger") if one["kind"] == kind])


async def readers(world: World) -> int:
    async with world.orders.reading() as connection:
        return int(await connection.scalar(sa.text(READERS)) or 0)
