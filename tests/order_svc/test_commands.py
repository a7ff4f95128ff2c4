"""What requests do to orders, through the group commit and in a real database."""

import asyncio
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.http.errors import IdempotencyKeyReused
from chassis.http.idempotency import key_use, respond_once
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from order_svc.commands import cancel_order, place_order, want_basket, want_order
from order_svc.domain import Order
from order_svc.errors import MixedCurrencies, NotPossibleNow, OrderTooLarge, OrderUnknown, SkuUnknown
from order_svc.store import Answered, OrderBook
from schemas import Money, OrderCancelled, OrderPlaced, PricedLine
from tests.order_svc.orders import ADDRESS, basket, cancel, pending, place, product, read, timeline
from tests.outbox import events

Commit = GroupCommit[OrderBook]


async def test_a_placed_order_is_stored_told_and_in_its_timeline(shared: Postgres, commit: Commit) -> None:
    mug, cup = await product(commit, 1250), await product(commit, 300, name="Cup")
    asked = basket({mug: 2, cup: 1})
    order = await place(commit, asked)
    lines = (
        PricedLine(sku=mug, quantity=2, name="Mug", unit_price=Money(amount=1250, currency="EUR")),
        PricedLine(sku=cup, quantity=1, name="Cup", unit_price=Money(amount=300, currency="EUR")),
    )
    total = Money(amount=2800, currency="EUR")
    assert await read(shared, order) == order
    assert (order.state, order.lines, order.total) == ("PENDING", lines, total)
    assert await events(shared, order.id) == [
        OrderPlaced(
            order_id=asked.order_id, customer_id=asked.customer_id, lines=lines, total=total, shipping_address=ADDRESS
        )
    ]
    assert await timeline(shared, order.id) == [("order.placed", {"state": "PENDING"})]


async def test_unknown_skus_are_all_named_and_nothing_is_stored(shared: Postgres, commit: Commit) -> None:
    known = await product(commit)
    asked = basket({known: 1, "NONE-1": 1, "NONE-2": 1})
    with pytest.raises(SkuUnknown) as refused:
        await place(commit, asked)
    assert refused.value.extra == {"skus": ["NONE-1", "NONE-2"]}
    assert await events(shared, asked.order_id) == []


async def test_two_currencies_in_one_order_are_refused(commit: Commit) -> None:
    asked = basket({await product(commit): 1, await product(commit, currency="USD"): 1})
    with pytest.raises(MixedCurrencies):
        await place(commit, asked)


async def test_a_total_beyond_every_bound_is_refused(commit: Commit) -> None:
    with pytest.raises(OrderTooLarge):
        await place(commit, basket({await product(commit, amount=10**15): 2}))


async def test_the_largest_total_is_kept_exactly(shared: Postgres, commit: Commit) -> None:
    order = await place(commit, basket({await product(commit, amount=10**15): 1}))
    assert (await read(shared, order)).total.amount == 10**15


async def test_its_customer_cancels_an_order(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    cancelled = await cancel(commit, order)
    assert (cancelled.state, cancelled.reason, cancelled.version) == ("CANCELLED", "customer", 2)
    assert await read(shared, order) == cancelled
    assert (await events(shared, order.id))[1:] == [
        OrderCancelled(order_id=order.id, customer_id=order.customer_id, reason="customer")
    ]
    assert (await timeline(shared, order.id))[-1] == (
        "order.cancelled",
        {"state": "CANCELLED", "reason": "customer"},
    )


async def test_nobody_else_can_cancel_it_or_learn_that_it_exists(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    for order_id, owner in ((order.id, uuid7()), (uuid7(), order.customer_id), (uuid7(), None)):
        with pytest.raises(OrderUnknown):
            await cancel_as(commit, order_id, owner)
    assert await read(shared, order) == order


async def test_staff_cancels_anybodys(commit: Commit) -> None:
    order = await pending(commit)
    assert (await cancel_as(commit, order.id, None)).reason == "staff"


async def test_of_cancellations_at_once_one_counts(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    done = await asyncio.gather(*(cancel(commit, order) for _ in range(4)), return_exceptions=True)
    assert [type(one) for one in done].count(Order) == 1
    assert [type(one) for one in done].count(NotPossibleNow) == 3
    assert len(await events(shared, order.id)) == 2


async def test_a_refused_request_leaves_its_neighbours_in_the_batch_alone(shared: Postgres, commit: Commit) -> None:
    good, bad = basket({await product(commit): 1}), basket({"NONE": 1})
    done = await asyncio.gather(place(commit, good), place(commit, bad), return_exceptions=True)
    assert isinstance(done[0], Order)
    assert isinstance(done[1], SkuUnknown)
    assert await read(shared, done[0]) == done[0]


async def cancel_as(commit: Commit, order_id: UUID, owner: UUID | None) -> Order:
    return await commit(
        lambda book: cancel_order(book, order_id, owner, "customer" if owner else "staff"),
        lambda book: want_order(book, order_id),
    )


async def place_once(commit: Commit, customer: UUID, sku: str, key: str, body: str = "body") -> tuple[Answered, bool]:
    asked, use = basket({sku: 1}, customer), key_use(customer, "POST /v1/orders", key, body)

    def wants(book: OrderBook) -> None:
        book.answered.prefetch(use.id)
        want_basket(book, asked)

    def act(book: OrderBook) -> Answered:
        order = place_order(book, asked)
        return Answered(use.id, use.fingerprint, order.id, f"answer for {order.id}")

    return await commit(lambda book: respond_once(book.answered, use, lambda: act(book)), wants)


async def test_a_key_repeats_its_first_answer(shared: Postgres, commit: Commit) -> None:
    customer, sku = uuid7(), await product(commit)
    first, repeated = await place_once(commit, customer, sku, "k")
    assert not repeated
    assert await place_once(commit, customer, sku, "k") == (first, True)
    assert first.answer == f"answer for {first.order_id}"


async def test_a_key_used_twice_in_one_batch_makes_one_order(shared: Postgres, commit: Commit) -> None:
    customer, sku = uuid7(), await product(commit)
    done = await asyncio.gather(*(place_once(commit, customer, sku, "k") for _ in range(5)))
    assert len({answered.order_id for answered, _ in done}) == 1
    assert [repeated for _, repeated in done].count(False) == 1


async def test_a_key_with_another_body_is_refused_in_and_across_batches(shared: Postgres, commit: Commit) -> None:
    customer, sku = uuid7(), await product(commit)
    done = await asyncio.gather(
        place_once(commit, customer, sku, "k", "one"),
        place_once(commit, customer, sku, "k", "other"),
        return_exceptions=True,
    )
    assert isinstance(done[1], IdempotencyKeyReused)
    with pytest.raises(IdempotencyKeyReused):
        await place_once(commit, customer, sku, "k", "third")


async def test_a_key_belongs_to_one_customer(shared: Postgres, commit: Commit) -> None:
    sku = await product(commit)
    done = await asyncio.gather(*(place_once(commit, uuid7(), sku, "k", str(n)) for n in range(3)))
    assert len({answered.order_id for answered, _ in done}) == 3


async def test_a_refused_request_leaves_its_key_free(shared: Postgres, commit: Commit) -> None:
    customer = uuid7()
    with pytest.raises(SkuUnknown):
        await place_once(commit, customer, "NONE", "k", "one")
    _, repeated = await place_once(commit, customer, await product(commit), "k", "other")
    assert not repeated


async def test_a_key_raced_for_by_two_processes_makes_one_order(
    shared: Postgres, commit: Commit, shared_url: str
) -> None:
    customer, sku = uuid7(), await product(commit)
    other = Postgres(shared_url)
    theirs = GroupCommit(other, OrderBook)
    running = asyncio.create_task(theirs.run())
    done = await asyncio.gather(*(place_once(c, customer, sku, "k") for _ in range(8) for c in (commit, theirs)))
    running.cancel()
    await other.close()
    assert len({answered.order_id for answered, _ in done}) == 1
    assert [repeated for _, repeated in done].count(False) == 1
    assert len(await events(shared, done[0][0].order_id)) == 1
