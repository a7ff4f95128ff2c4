"""Rebuilding the customers of order_svc: an erased customer never appears, whenever the erasure was."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from chassis.jobs.domain import Job
from chassis.messaging.dead_letters import StoredLetter
from chassis.runtime import failpoints
from chassis.testing import enveloped
from order_svc.handlers import HANDLERS, REPLICAS
from order_svc.unit_of_work import OrderUnitOfWork
from schemas import Address, AddressesChanged, CustomerErased, CustomerRegistered
from tests.rebuilds import Rebuilding, keys, rebuilding
from tests.servers import Servers

SECRET = "221b Baker Street"


@pytest.fixture
async def shop(postgres_url: str, servers: Servers) -> AsyncIterator[Rebuilding]:
    opened = rebuilding(postgres_url, servers.kafka, "order_svc", HANDLERS, OrderUnitOfWork, REPLICAS)
    async with opened as one:
        yield one
    failpoints.arm("")


def registered(customer: UUID) -> CustomerRegistered:
    return CustomerRegistered(customer_id=customer, email=f"{customer}@example.com", name="Ada")


def moved(customer: UUID, street: str = SECRET) -> AddressesChanged:
    home = Address(name="Ada", street=street, city="London", postal_code="NW1", country="GB")
    return AddressesChanged(customer_id=customer, shipping=home, billing=home)


async def a_customer(shop: Rebuilding, street: str = SECRET) -> UUID:
    customer = uuid7()
    await shop.live((1, registered(customer)), (2, moved(customer, street)))
    return customer


async def hang(shop: Rebuilding, job_id: UUID, point: str) -> None:
    """Work on a job until a fail point, and kill the process there."""
    failpoints.arm(f"{point}=hang")
    running = asyncio.create_task(shop.loop().step())
    while not failpoints._reached[point]:
        assert not running.done(), await shop.job(job_id)
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running])
    failpoints.arm("")
    await shop.let_lease_expire(job_id)


def differences(job: Job) -> dict[str, int]:
    counts: dict[str, int] = job.progress["difference"]["counts"]
    return counts


async def test_erased_and_yet_projected_marten_2779_before(shop: Rebuilding) -> None:
    """marten#2779: the events of a customer who was erased before are not even decoded."""
    erased, other = await a_customer(shop), await a_customer(shop, "elsewhere")
    await shop.live((3, CustomerErased(customer_id=erased)))
    with capture_logs() as logs:
        job = await shop.rebuilt("customers")
        assert differences(job) == {"only_live": 0, "only_rebuilt": 0, "differs": 0}
        assert job.progress["counts"]["erased"] == 2
        assert await shop.everything(SECRET) == []
        # Live has it all again, as a replica that knows no erasure would.
        await shop.sql(
            "UPDATE customers SET account_status = 'active', shipping = (SELECT shipping || :street FROM customers"
            " WHERE id = :other) WHERE id = :id",
            street=f'{{"street": "{SECRET}"}}',
            other=other,
            id=erased,
        )
        job = await shop.rebuilt("customers")
        assert job.progress["difference"]["differs"] == [[str(erased), ["account_status", "shipping"]]]
        assert await shop.everything(SECRET) == ["public.customers"]
        await shop.change(job, "swap")
        assert await shop.everything(SECRET) == []
        undone = await shop.change(job, "undo")
    assert undone.progress["undone"] == {"restored": 0, "newer": 0}
    assert await shop.everything(SECRET) == []
    assert SECRET not in str(logs)


async def test_erased_and_yet_projected_marten_2779_during(shop: Rebuilding) -> None:
    """A customer who is erased while the shadow holds the address is removed from it in the same transaction."""
    erased = await a_customer(shop)
    job_id = await shop.request("customers")
    await hang(shop, job_id, "rebuild.compared.before")
    assert await shop.everything(SECRET) == ["public.customers", f"rebuild_{job_id.hex}.customers"]
    await shop.live((3, CustomerErased(customer_id=erased)))
    assert await shop.everything(SECRET) == []
    job = await shop.finish(job_id)
    assert (differences(job), job.progress["difference"]["left_out"]) == (
        {"only_live": 0, "only_rebuilt": 0, "differs": 0},
        0,
    )
    swapped = await shop.change(job, "swap")
    assert swapped.error is None
    assert [(row.id, row.account_status) for row in await shop.rows("customers")] == [(erased, "erased")]
    assert await shop.everything(SECRET) == []


async def test_events_of_a_customer_who_is_erased_after_the_scan_are_not_written(shop: Rebuilding) -> None:
    """The process was killed half-way, the customer was erased, and the rest of the events was read already."""
    customers = [await a_customer(shop, f"{SECRET} {nth}") for nth in range(3)]
    failpoints.arm("rebuild.commit.before=hang")
    job_id = await shop.request("customers")
    await hang(shop, job_id, "rebuild.commit.before")
    for customer in customers:
        await shop.live((3, CustomerErased(customer_id=customer)))
    job = await shop.finish(job_id)
    assert job.progress["counts"].get("applied", 0) == 0
    assert await shop.everything(SECRET) == []


async def test_erased_and_yet_projected_marten_2779_after(shop: Rebuilding) -> None:
    """A customer who is erased between swap and undo is removed from the rows that are kept for it."""
    erased, other = await a_customer(shop), await a_customer(shop)
    await shop.sql("UPDATE customers SET billing = NULL")
    job = await shop.rebuilt("customers")
    assert sorted(keys(job, "differs")) == sorted([str(erased), str(other)])
    await shop.change(job, "swap")
    assert f"rebuild_{job.id.hex}.kept_old" in await shop.everything(SECRET)
    await shop.live((3, CustomerErased(customer_id=erased)))
    old = await shop.sql(f"SELECT id FROM rebuild_{job.id.hex}.kept_old")
    assert [row.id for row in old] == [other]
    undone = await shop.change(job, "undo")
    assert undone.progress["undone"] == {"restored": 1, "newer": 0}
    rows = {row.id: row for row in await shop.rows("customers")}
    assert (rows[erased].account_status, rows[erased].shipping, rows[other].billing) == ("erased", None, None)


async def test_an_erasure_waits_for_a_swap_and_a_swap_for_an_erasure(shop: Rebuilding) -> None:
    """Both at once, again and again: neither deadlocks, and the erasure always holds."""
    for _ in range(3):
        erased = await a_customer(shop)
        await shop.sql("UPDATE customers SET billing = NULL WHERE id = :id", id=erased)
        job = await shop.rebuilt("customers")
        swap = asyncio.create_task(shop.change(job, "swap"))
        await shop.live((3, CustomerErased(customer_id=erased)))
        assert (await swap).state == "done"
        rows = {row.id: row for row in await shop.rows("customers")}
        assert (rows[erased].account_status, rows[erased].shipping) == ("erased", None)
        assert await shop.everything(SECRET) == []


@pytest.mark.parametrize("point", ["rebuild.commit.before", "rebuild.commit.after", "rebuild.compared.before"])
async def test_a_rebuild_goes_on_after_a_kill(shop: Rebuilding, point: str) -> None:
    customer = await a_customer(shop)
    await shop.sql("DELETE FROM customers")
    job_id = await shop.request("customers")
    await hang(shop, job_id, point)
    job = await shop.finish(job_id)
    assert (job.state, keys(job, "only_rebuilt"), job.progress["counts"]["applied"]) == ("done", [str(customer)], 2)


@pytest.mark.parametrize(
    "point", ["swap.commit.before", "swap.commit.after", "undo.commit.before", "undo.commit.after"]
)
async def test_a_swap_and_an_undo_happen_once_whenever_the_process_dies(shop: Rebuilding, point: str) -> None:
    await a_customer(shop)
    right = await shop.rows("customers")
    await shop.sql("UPDATE customers SET shipping = NULL")
    wrong = await shop.rows("customers")
    job = await shop.rebuilt("customers")
    step, _, _ = point.partition(".")
    if step == "undo":
        await shop.change(job, "swap")
    await shop.want(job.id, step)
    await hang(shop, job.id, point)
    before, after = (wrong, right) if step == "swap" else (right, wrong)
    assert await shop.rows("customers") == (before if point.endswith("before") else after)
    ended = await shop.finish(job.id)
    assert (ended.state, ended.error) == ("done", None)
    assert await shop.rows("customers") == after
    if step == "swap":
        assert ended.progress["swapped"]["changed"] == 1
        await shop.change(job, "undo")
        assert await shop.rows("customers") == wrong


async def test_the_swap_gives_up_where_the_table_is_in_use(shop: Rebuilding, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.rebuild.swap.LOCK_SECONDS", 0.05)
    await a_customer(shop)
    await shop.sql("UPDATE customers SET shipping = NULL")
    job = await shop.rebuilt("customers")
    async with shop.database.transaction() as tx:
        await tx.execute("LOCK TABLE customers IN ROW EXCLUSIVE MODE").rows()
        gave_up = await shop.change(job, "swap")
    assert gave_up.state == "done"
    assert gave_up.error == "nothing was changed: the table was in use: no lock on it within some seconds"
    assert (await shop.change(job, "swap")).error is None


async def test_the_swap_gives_up_where_the_topic_cannot_be_drained(
    shop: Rebuilding, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_customer(shop)
    await shop.sql("UPDATE customers SET shipping = NULL")
    job = await shop.rebuilt("customers")
    monkeypatch.setattr("chassis.rebuild.swap.DRAIN_SECONDS", 0.0)
    gave_up = await shop.change(job, "swap")
    assert gave_up.error == "nothing was changed: the rest of the topic was not read within 0 s"
    await shop.live((3, moved((await shop.rows("customers"))[0].id)))
    monkeypatch.undo()
    assert (await shop.change(job, "swap")).error is None


async def test_edited_letters_are_applied_with_their_new_value_and_discarded_ones_are_not(shop: Rebuilding) -> None:
    customer = await a_customer(shop, "first")
    for version, street in ((3, "second"), (4, "third")):
        broken = enveloped(moved(customer, street), version)
        await shop.live(replace(broken, value=broken.value.replace(b'"street"', b'"strasse"')))
    first, second = sorted(await letters(shop), key=lambda letter: letter.record.offset)
    fixed = (first.record.value or b"").replace(b'"strasse"', b'"street"')
    edited = replace(first, state="redriven", original=first.record.value, record=replace(first.record, value=fixed))
    async with shop.database.transaction() as tx:
        await shop.database.dead_letters.update(tx, [edited, replace(second, state="discarded")])
    job = await shop.rebuilt("customers")
    assert job.progress["unreadable"] == []
    assert (job.progress["counts"]["edited"], job.progress["counts"]["discarded"]) == (1, 1)
    await shop.change(job, "swap")
    [row] = await shop.rows("customers")
    assert (row.shipping["street"], row.addresses_version) == ("second", 3)


async def letters(shop: Rebuilding) -> list[StoredLetter]:
    ids: list[Any] = list(await shop.sql("SELECT event_id FROM dead_letters"))
    found = [await shop.database.dead_letters.get(row.event_id) for row in ids]
    return [letter for letter in found if letter]
