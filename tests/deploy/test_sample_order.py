"""The sample order is placed once for each SHOP_HOME, and read again later."""

import asyncio
import json
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.local.sample_order import Credentials, SampleOrder, show_or_place
from tests.stack import CUSTOMER_PASSWORD, STAFF, Stack

FRONTS = ("customer", "product", "order", "notifier")


async def run(shop: Stack, kept: Path, *, again: bool = False) -> SampleOrder:
    """What a start does when everything is ready."""
    rest = {name: shop.urls[name] for name in FRONTS}
    staff = Credentials(*STAFF)
    return await asyncio.to_thread(show_or_place, kept, rest, staff, shop.mail_page, again=again)


async def test_a_later_start_shows_the_order_of_the_first_and_another_on_demand(shop: Stack, tmp_path: Path) -> None:
    kept = tmp_path / "secrets" / "sample-order.json"
    first = await run(shop, kept)
    assert (first.is_new, first.timeline["state"]) == (True, "CONFIRMED")
    assert kept.stat().st_mode & 0o777 == 0o600, "it has the password of the customer"
    second = await run(shop, kept)
    assert (second.is_new, second.order_id) == (False, first.order_id)
    assert (second.customer, second.lines, second.receipt) == (first.customer, first.lines, first.receipt)
    assert second.timeline["entries"][: len(first.timeline["entries"])] == first.timeline["entries"]
    assert "is confirmed" in second.receipt
    third = await run(shop, kept, again=True)
    assert (third.is_new, third.order_id == first.order_id) == (True, False)
    assert (await run(shop, kept)).order_id == third.order_id


@pytest.mark.parametrize("lost", ["account", "order", "note"])
async def test_another_is_placed_where_the_first_is_gone(shop: Stack, tmp_path: Path, lost: str) -> None:
    email, _ = await shop.customer()
    account = {"email": email, "password": CUSTOMER_PASSWORD if lost == "order" else "of another database"}
    note = json.dumps({"customer": account, "order_id": str(uuid4()), "lines": []})
    kept = tmp_path / "sample-order.json"
    kept.write_text(note[:-1] if lost == "note" else note)
    order = await run(shop, kept)
    assert order.is_new
    assert (await run(shop, kept)).order_id == order.order_id
