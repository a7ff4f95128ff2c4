"""The Postman collections, run by newman against the whole platform."""

import asyncio
import signal
from pathlib import Path

import pytest

from deploy.postman.newman import newman
from tests.contracts.generated import COLLECTION, STUCK
from tests.contracts.postman.steps import ENVIRONMENT
from tests.stack import OPS, STAFF, Stack, eventually

SERVICES = ("customer", "product", "order", "notifier")


@pytest.fixture(scope="module")
async def options(shop: Stack) -> list[str]:
    """The options of newman with the environment of this shop."""
    logins = {"staff_email": STAFF[0], "staff_password": STAFF[1], "ops_email": OPS[0], "ops_password": OPS[1]}
    variables = ENVIRONMENT | logins | {f"{service}_url": shop.urls[service] for service in SERVICES}
    variables["mail_url"] = shop.mail_page
    return [part for name, value in variables.items() for part in ("--env-var", f"{name}={value}")]


async def run(collection: Path, options: list[str]) -> None:
    """Run a collection; all of its tests must pass."""
    command = [*await asyncio.to_thread(newman), "run", str(collection), *options]
    pipe = asyncio.subprocess.PIPE
    running = await asyncio.create_subprocess_exec(
        *command, "--color", "off", "--disable-unicode", "--reporter-cli-no-success-assertions", stdout=pipe
    )
    output, _ = await running.communicate()
    assert running.returncode == 0, output.decode()


async def test_every_request_of_the_collection_passes_its_tests(options: list[str]) -> None:
    await run(COLLECTION, options)


async def test_ops_resolve_stuck_orders_while_product_svc_does_not_reply(shop: Stack, options: list[str]) -> None:
    shop.child("product-worker").signal(signal.SIGSTOP)
    try:
        await run(STUCK, options)
    finally:
        shop.child("product-worker").signal(signal.SIGCONT)
    staff = await shop.log_in(*STAFF)

    async def settled() -> bool:
        latest = (await shop.read("order", "/v1/orders?limit=2", staff))["items"]
        return [order["state"] for order in latest] == ["CANCELLED", "CONFIRMED"]

    await eventually(settled, 60, "the retried order to be confirmed")
