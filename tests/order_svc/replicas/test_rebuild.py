"""Rebuilding the replicas of order_svc: what is found, what is swapped, what is undone."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from uuid_utils.compat import uuid7

from chassis.testing import enveloped
from order_svc.handlers import HANDLERS, REPLICAS
from order_svc.replicas.commands import UpsertProducts
from order_svc.replicas.domain import Product
from order_svc.unit_of_work import OrderUnitOfWork
from schemas import Address, AddressesChanged, CustomerErased, CustomerRegistered, Money, ProductCreated
from schemas.values import Variant
from tests.databases import committing
from tests.rebuilds import Rebuilding, keys, rebuilding
from tests.servers import Servers

PRICE = Money(amount=1250, currency="EUR")


@pytest.fixture
async def shop(postgres_url: str, servers: Servers) -> AsyncIterator[Rebuilding]:
    opened = rebuilding(postgres_url, servers.kafka, "order_svc", HANDLERS, OrderUnitOfWork, REPLICAS)
    async with opened as one:
        yield one


def created(product: UUID, *skus: str, name: str = "Mug") -> ProductCreated:
    variants = tuple(Variant(sku=sku, price=PRICE) for sku in skus)
    return ProductCreated(product_id=product, name=name, variants=variants)


def registered(customer: UUID) -> CustomerRegistered:
    return CustomerRegistered(customer_id=customer, email=f"{customer}@example.com", name="Ada")


def moved(customer: UUID, street: str = "12 Square") -> AddressesChanged:
    home = Address(name="Ada", street=street, city="Paris", postal_code="75001", country="FR")
    return AddressesChanged(customer_id=customer, shipping=home, billing=None)


async def products(shop: Rebuilding, count: int) -> list[UUID]:
    """Products with two variants each, which live has handled."""
    ids = [uuid7() for _ in range(count)]
    for nth, one in enumerate(ids):
        await shop.live((1, created(one, f"A-{nth}", f"B-{nth}")))
    return ids


async def test_a_replica_that_is_right_does_not_differ(shop: Rebuilding) -> None:
    await products(shop, 3)
    customer = uuid7()
    await shop.live((1, registered(customer)), (2, moved(customer)))
    for replica in ("products", "customers"):
        job = await shop.rebuilt(replica)
        assert (job.state, job.error) == ("done", None)
        assert job.progress["difference"]["counts"] == {"only_live": 0, "only_rebuilt": 0, "differs": 0}
        assert job.progress["counts"]["applied"] in (3, 2)


async def test_rebuild_without_downtime_marten_1720(shop: Rebuilding) -> None:
    """Wrong, missing and surplus rows are found and repaired under load; readers are never blocked."""
    ids = await products(shop, 20)
    before = await shop.rows("products")
    await shop.sql("UPDATE products SET amount = 1 WHERE sku = 'A-3'")
    await shop.sql("UPDATE products SET name = 'wrong', version = 99 WHERE sku = 'B-4'")
    await shop.sql("DELETE FROM products WHERE sku IN ('A-5', 'B-6')")
    await shop.sql(
        "INSERT INTO products (sku, product_id, name, amount, currency, version)"
        " VALUES ('GHOST', :id, 'Ghost', 1, 'EUR', 1)",
        id=ids[7],
    )
    slowest, handled, running = 0.0, 0, True

    async def load() -> None:
        nonlocal handled
        while running:
            handled += 1
            await shop.live((1, created(uuid7(), f"LOAD-{handled}")))

    async def readers() -> None:
        nonlocal slowest
        while running:
            began = time.monotonic()
            await shop.sql("SELECT count(*) FROM products")
            slowest = max(slowest, time.monotonic() - began)
            await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(load()), asyncio.create_task(readers())]
    await asyncio.sleep(0.2)
    job = await shop.rebuilt("products")
    assert (keys(job, "only_live"), keys(job, "only_rebuilt")) == (["GHOST"], ["A-5", "B-6"])
    assert job.progress["difference"]["differs"] == [["A-3", ["amount"]], ["B-4", ["name", "version"]]]
    swapped = await shop.change(job, "swap")
    assert (swapped.state, swapped.error) == ("done", None)
    found = swapped.progress["swapped"]
    assert (found["removed"], found["added"], found["changed"]) == (1, 2, 2)
    running = False
    await asyncio.gather(*tasks)
    assert handled > 3
    assert slowest < 2
    after = await shop.rows("products")
    assert [row for row in after if not row.sku.startswith("LOAD-")] == before
    assert sum(row.sku.startswith("LOAD-") for row in after) == handled
    again = await shop.rebuilt("products")
    assert again.progress["difference"]["counts"] == {"only_live": 0, "only_rebuilt": 0, "differs": 0}
    await shop.sweep()
    assert await shop.shadows() == [f"rebuild_{again.id.hex}"], "superseded"


async def test_lost_rows_deleted_rows_back_3690_1302(shop: Rebuilding) -> None:
    """marten#3690, #1302: what live handles meanwhile is not lost, and what it has removed does not come back."""
    customer, erased, late = uuid7(), uuid7(), uuid7()
    await shop.live((1, registered(customer)), (1, registered(erased)), (2, moved(erased)))
    job = await shop.rebuilt("customers")
    await shop.live((3, CustomerErased(customer_id=erased)), (1, registered(late)), (2, moved(late, "1 Late")))
    await shop.sql("DELETE FROM customers WHERE id = :id", id=customer)
    before = await shop.rows("customers")
    swapped = await shop.change(job, "swap")
    assert swapped.progress["swapped"]["added"] == 1
    after = {row.id: row for row in await shop.rows("customers")}
    assert after.keys() == {customer, erased, late}
    assert [after[row.id] for row in before] == before
    await shop.change(job, "undo")
    assert await shop.rows("customers") == before


async def test_rebuild_raced_the_live_daemon(shop: Rebuilding) -> None:
    """What live has not handled yet, or has handled since the end of the read, is no difference."""
    ids = await products(shop, 3)
    await shop.live((2, created(ids[0], "A-0", name="Newer")))
    waiting = await shop.publish((2, created(ids[1], "A-1", name="Newest")))
    await shop.commit_before(waiting)
    job = await shop.rebuilt("products")
    assert job.progress["difference"]["counts"] == {"only_live": 0, "only_rebuilt": 0, "differs": 0}
    assert job.progress["difference"]["left_out"] == 1
    await shop.handle(waiting)
    swapped = await shop.change(job, "swap")
    assert {name: swapped.progress["swapped"][name] for name in ("removed", "added", "changed")} == {
        "removed": 0,
        "added": 0,
        "changed": 0,
    }


async def test_repair_600_rows_of_3_3_million_marten_1333(shop: Rebuilding) -> None:
    """With a key, nothing but its rows is rebuilt, compared and swapped."""
    ids = await products(shop, 5)
    await shop.sql("UPDATE products SET amount = 1 WHERE sku IN ('A-2', 'B-2', 'A-3')")
    job = await shop.rebuilt("products", ids[2])
    assert job.progress["counts"]["applied"] == 1
    assert keys(job, "differs") == ["A-2", "B-2"]
    await shop.change(job, "swap")
    prices = {row.sku: row.amount for row in await shop.rows("products")}
    assert (prices["A-2"], prices["B-2"], prices["A-3"], prices["A-1"]) == (1250, 1250, 1, 1250)


async def test_undo_restores_what_live_has_not_changed_since(shop: Rebuilding) -> None:
    ids = await products(shop, 4)
    await shop.sql("UPDATE products SET amount = 1 WHERE sku IN ('A-0', 'A-1')")
    await shop.sql("DELETE FROM products WHERE sku = 'A-2'")
    before = await shop.rows("products")
    job = await shop.rebuilt("products")
    await shop.change(job, "swap")
    await shop.live((2, created(ids[1], "A-1", name="Newer")))
    undone = await shop.change(job, "undo")
    assert (undone.progress["stage"], undone.progress["undone"]) == ("undone", {"restored": 2, "newer": 1})
    after = {row.sku: (row.name, row.amount) for row in await shop.rows("products")}
    assert after.pop("A-1") == ("Newer", 1250)
    assert after == {row.sku: (row.name, row.amount) for row in before if row.sku != "A-1"}
    await shop.sweep()
    assert await shop.shadows() == []


async def test_a_product_that_was_read_from_the_catalogue_stays(shop: Rebuilding) -> None:
    await products(shop, 1)
    async with committing(shop.database, OrderUnitOfWork) as commit:
        await commit(UpsertProducts([Product("NEW", uuid7(), "New", PRICE, 1, by_rest=True)]))
    job = await shop.rebuilt("products")
    assert job.progress["difference"]["counts"] == {"only_live": 0, "only_rebuilt": 0, "differs": 0}
    await shop.change(job, "swap")
    assert [row.sku for row in await shop.rows("products")] == ["A-0", "B-0", "NEW"]


async def test_a_topic_that_has_lost_its_beginning_is_refused(shop: Rebuilding) -> None:
    [record] = await shop.publish((1, created(uuid7(), "A-1")))
    await shop.handle([record])
    admin = AIOKafkaAdminClient(bootstrap_servers=shop.kafka)
    await admin.start()
    partition = TopicPartition(f"{shop.prefix}product.events", record.partition)
    await admin.delete_records({partition: RecordsToDelete(before_offset=1)})
    await admin.close()
    before = await shop.rows("products")
    job = await shop.rebuilt("products")
    assert job.state == "failed"
    assert "product.events has lost its beginning" in (job.error or "")
    assert await shop.rows("products") == before
    await shop.sweep()
    assert await shop.shadows() == []


async def test_older_code_meets_newer_events_axon_413(shop: Rebuilding) -> None:
    """AxonFramework#413: rows of which an event cannot be read are left as they are; all others are rebuilt."""
    ids = await products(shop, 3)
    newer = enveloped(created(ids[0], "A-0", name="From the future"), 2)
    newer.headers["ce_dataschema"] = "urn:shopstream:schema:product.changed:99"  # type: ignore[index]
    await shop.live(newer)
    await shop.sql("UPDATE products SET amount = 1 WHERE sku IN ('A-0', 'A-1')")
    job = await shop.rebuilt("products")
    assert job.state == "done"
    assert job.progress["unreadable"] == [str(ids[0])]
    assert keys(job, "differs") == ["A-1"]
    await shop.change(job, "swap")
    assert {row.sku: row.amount for row in await shop.rows("products")}["A-0"] == 1


@pytest.mark.parametrize("nothing", ["swap", "undo"])
async def test_a_job_without_its_shadow_changes_nothing(shop: Rebuilding, nothing: str) -> None:
    await products(shop, 1)
    job = await shop.rebuilt("products")
    await shop.want(job.id, nothing, "cancelled")
    await shop.sweep()
    assert await shop.shadows() == []
    ended = await shop.change(job, nothing)
    assert ended.state == "done"
    assert "nothing was changed" in (ended.error or "")
