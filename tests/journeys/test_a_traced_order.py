"""``shop trace`` on the running platform: from the customer's e-mail address to the mail, with nothing personal."""

import asyncio
import json
import os
import sys
from typing import Any

from tests.journeys.timelines import timeline_with_mail
from tests.servers import Servers
from tests.stack import ADDRESS, OPS, Stack


async def test_an_order_is_traced_from_the_request_to_the_mail(shop: Stack, servers: Servers) -> None:
    email, customer = await shop.customer(name="Augusta King")
    sku = await shop.product(on_hand=10)
    location = (await shop.order(customer, {sku: 2})).headers["location"]
    await timeline_with_mail(shop, location, customer)
    order_id = location.rpartition("/")[2]

    traced = json.loads(await trace(shop, servers, order_id, "--json"))
    types = [event["type"] for event in traced["events"]]
    assert types == ["order.placed", "stock.reserved", "order.confirmed", "notification.mail_sent"]
    handled = [(one["group"], one["verdict"]) for event in traced["events"][:3] for one in event["groups"]]
    assert handled == [("product_svc", "handled"), ("order_svc", "handled"), ("notifier_svc", "handled")]
    assert [(mail["template"], mail["state"]) for mail in traced["mails"]] == [("receipt", "sent")]
    assert traced["notes"] == []
    # One request caused all of it, with the mail, which a loop of notifier_svc has sent.
    [trace_id] = {event["trace_id"] for event in traced["events"]}
    assert order_id in await trace(shop, servers, trace_id)
    assert order_id in await trace(shop, servers, traced["events"][1]["id"])

    by_email = await trace(shop, servers, email)
    assert order_id in by_email
    assert personal(by_email, email) == []
    logs = {name: child.log.read_text(encoding="utf-8") for name, child in shop.children.items()}
    assert {name: found for name, log in logs.items() if (found := personal(log, email))} == {}


def personal(text: str, email: str) -> list[str]:
    return [one for one in (email, "Augusta", ADDRESS["street"], ADDRESS["postal_code"]) if one in text]


async def trace(shop: Stack, servers: Servers, key: str, *options: str) -> str:
    """What ``shop trace`` prints."""
    urls: dict[str, Any] = {
        f"{name.upper()}_URL": shop.urls[name] for name in ("customer", "product", "order", "notifier")
    }
    kafka = {
        "KAFKA_BOOTSTRAP_SERVERS": servers.kafka,
        "KAFKA_PREFIX": shop.commands["order"].env["KAFKA_PREFIX"],
    }
    env = {**os.environ, **urls, **kafka, "OPS_EMAIL": OPS[0], "OPS_PASSWORD": OPS[1]}
    command, pipe = (sys.executable, "-m", "ops", "trace", key, *options), asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, env=env, stdout=pipe, stderr=pipe)
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b""), err.decode()
    return out.decode()
