"""An event that cannot be handled is dead-lettered; events of its key are parked, all others go on."""

from collections.abc import Sequence
from uuid import UUID

import psycopg
from aiokafka import AIOKafkaConsumer
from uuid_utils.compat import uuid7

from chassis.testing import enveloped
from schemas import Message, StockReserved
from schemas.topics import STOCK_EVENTS
from tests.publishing import prefix, publish
from tests.servers import Servers
from tests.stack import Stack, eventually

Letter = tuple[str, str, str]
"""(state, reason, key)"""


async def test_a_poison_event_blocks_only_its_own_key(shop: Stack, servers: Servers) -> None:
    _, customer = await shop.customer()
    sku = await shop.product(on_hand=10)
    keys = [str(uuid7()) for _ in range(4)]
    good = enveloped(StockReserved(order_id=UUID(keys[0]), lines=()))
    unknown = {**good.headers, "ce_id": str(uuid7()), "ce_dataschema": "urn:shopstream:schema:stock.vanished:1"}
    broken = {**good.headers, "ce_id": str(uuid7()), "ce_subject": keys[2]}
    never_stored = enveloped(StockReserved(order_id=UUID(keys[3]), lines=()))
    await publish(
        shop,
        servers.kafka,
        [
            Message(uuid7(), STOCK_EVENTS, keys[0], {}, b"\xff\x00 not JSON"),
            Message(uuid7(), STOCK_EVENTS, keys[1], unknown, b"{}"),
            Message(uuid7(), STOCK_EVENTS, keys[2], broken, b'{"order_id": 1}'),
            never_stored,
            # Behind each of them, an event that is valid.
            *(enveloped(StockReserved(order_id=UUID(key), lines=())) for key in keys),
        ],
    )

    async def dead_lettered() -> list[Letter] | None:
        letters = dead_letters(shop, keys)
        return letters if len(letters) == 8 else None

    letters = await eventually(dead_lettered, 30, "eight dead letters")
    assert sorted(letters) == sorted(
        [
            ("dead", "bad_headers", keys[0]),
            ("dead", "unknown_type", keys[1]),
            ("dead", "bad_payload", keys[2]),
            ("dead", "handler_failed", keys[3]),
            *(("parked", "parked", key) for key in keys),
        ]
    )
    placed = await shop.order(customer, {sku: 1})

    async def confirmed() -> bool:
        order = await shop.read("order", placed.headers["location"], customer)
        return bool(order["state"] == "CONFIRMED")

    await eventually(confirmed, 30, "an order of another key")
    assert sorted(await copies(shop, servers, keys)) == sorted((key, reason) for _, reason, key in letters), (
        "the dead-letter topic has a copy of each"
    )


def dead_letters(shop: Stack, keys: Sequence[str]) -> list[Letter]:
    query = (
        "SELECT state, reason, convert_from(key, 'UTF8') FROM dead_letters WHERE convert_from(key, 'UTF8') = ANY(%s)"
    )
    with psycopg.connect(shop.commands["order"].env["POSTGRES_URL"]) as connection:
        return connection.execute(query, [list(keys)]).fetchall()


async def copies(shop: Stack, servers: Servers, keys: Sequence[str]) -> list[tuple[str, str]]:
    consumer = AIOKafkaConsumer(
        f"{prefix(shop)}order_svc.dlq", bootstrap_servers=servers.kafka, auto_offset_reset="earliest"
    )
    found: list[tuple[str, str]] = []
    async with consumer:
        while len(found) < 2 * len(keys):
            one = await consumer.getone()
            if one.key.decode() in keys:
                found.append((one.key.decode(), dict(one.headers)["dlq_reason"].decode()))
    return found
