"""Commands on orders, through the group commit and in a real database."""

import asyncio
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.http.errors import IdempotencyKeyReused
from chassis.http.idempotency import key_use
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from order_svc.errors import MixedCurrencies, OrderNotFound, OrderTooLarge, SkuNotFound, TransitionNotAllowed
from order_svc.orders.commands import CancelOrder, PlaceOrderOnce
from order_svc.orders.domain import Order
from order_svc.orders.dto import OrderOut
from order_svc.orders.store import StoredResponse
from order_svc.unit_of_work import OrderUnitOfWork
from schemas import Money, OrderCancelled, OrderPlaced, PricedLine
from tests.order_svc.factories import ADDRESS
from tests.order_svc.scenarios import Commit, cancel, pending, place_order, product, read, timeline
from tests.outbox import events


async def test_a_placed_order_is_stored_published_and_in_its_timeline(shared: Postgres, commit: Commit) -> None:
    mug, cup = await product(commit, 1250), await product(commit, 300, name="Cup")
    command = place_order({mug: 2, cup: 1})
    order = await commit(command)
    lines = (
        PricedLine(sku=mug, quantity=2, name="Mug", unit_price=Money(amount=1250, currency="EUR")),
        PricedLine(sku=cup, quantity=1, name="Cup", unit_price=Money(amount=300, currency="EUR")),
    )
    total = Money(amount=2800, currency="EUR")
    assert await read(shared, order) == order
    assert (order.state, order.lines, order.total) == ("PENDING", lines, total)
    assert await events(shared, order.id) == [
        OrderPlaced(
            order_id=command.order_id,
            customer_id=command.customer_id,
            lines=lines,
            total=total,
            shipping_address=ADDRESS,
        )
    ]
    assert await timeline(shared, order.id) == [("order.placed", {"state": "PENDING"})]


async def test_unknown_skus_are_all_named_and_nothing_is_stored(shared: Postgres, commit: Commit) -> None:
    known = await product(commit)
    command = place_order({known: 1, "NONE-1": 1, "NONE-2": 1})
    with pytest.raises(SkuNotFound) as refused:
        await commit(command)
    assert refused.value.extra == {"skus": ["NONE-1", "NONE-2"]}
    assert await events(shared, command.order_id) == []


async def test_two_currencies_in_one_order_are_refused(commit: Commit) -> None:
    command = place_order({await product(commit): 1, await product(commit, currency="USD"): 1})
    with pytest.raises(MixedCurrencies):
        await commit(command)


async def test_a_total_above_the_limit_is_refused(commit: Commit) -> None:
    with pytest.raises(OrderTooLarge):
        await commit(place_order({await product(commit, amount=10**15): 2}))


async def test_the_largest_total_is_stored_exactly(shared: Postgres, commit: Commit) -> None:
    order = await commit(place_order({await product(commit, amount=10**15): 1}))
    assert (await read(shared, order)).total.amount == 10**15


async def test_a_customer_cancels_an_order(shared: Postgres, commit: Commit) -> None:
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


async def test_to_another_customer_an_order_does_not_exist(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    for order_id, owner in ((order.id, uuid7()), (uuid7(), order.customer_id), (uuid7(), None)):
        with pytest.raises(OrderNotFound):
            await commit(CancelOrder(order_id, owner))
    assert await read(shared, order) == order


async def test_staff_cancel_any_order(commit: Commit) -> None:
    order = await pending(commit)
    assert (await commit(CancelOrder(order.id, None))).reason == "staff"


async def test_of_concurrent_cancellations_one_succeeds(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    done = await asyncio.gather(*(cancel(commit, order) for _ in range(4)), return_exceptions=True)
    assert [type(one) for one in done].count(Order) == 1
    assert [type(one) for one in done].count(TransitionNotAllowed) == 3
    assert len(await events(shared, order.id)) == 2


async def test_a_refused_command_does_not_affect_others_in_its_batch(shared: Postgres, commit: Commit) -> None:
    good, bad = place_order({await product(commit): 1}), place_order({"NONE": 1})
    done = await asyncio.gather(commit(good), commit(bad), return_exceptions=True)
    assert isinstance(done[0], Order)
    assert isinstance(done[1], SkuNotFound)
    assert await read(shared, done[0]) == done[0]


async def place_once(
    commit: Commit, customer: UUID, sku: str, key: str, body: str = "body"
) -> tuple[StoredResponse, bool]:
    command = PlaceOrderOnce(place_order({sku: 1}, customer), key_use(customer, "POST /v1/orders", key, body))
    done: tuple[StoredResponse, bool] = await commit(command)
    return done


async def test_a_key_repeats_its_first_response(shared: Postgres, commit: Commit) -> None:
    customer, sku = uuid7(), await product(commit)
    first, replayed = await place_once(commit, customer, sku, "k")
    assert not replayed
    assert await place_once(commit, customer, sku, "k") == (first, True)
    assert OrderOut.model_validate_json(first.response).id == first.order_id


async def test_a_key_used_several_times_in_one_batch_places_one_order(shared: Postgres, commit: Commit) -> None:
    customer, sku = uuid7(), await product(commit)
    done = await asyncio.gather(*(place_once(commit, customer, sku, "k") for _ in range(5)))
    assert len({stored.order_id for stored, _ in done}) == 1
    assert [replayed for _, replayed in done].count(False) == 1


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
    assert len({stored.order_id for stored, _ in done}) == 3


async def test_a_refused_request_does_not_use_its_key(shared: Postgres, commit: Commit) -> None:
    customer = uuid7()
    with pytest.raises(SkuNotFound):
        await place_once(commit, customer, "NONE", "k", "one")
    _, replayed = await place_once(commit, customer, await product(commit), "k", "other")
    assert not replayed


async def test_concurrent_uses_of_a_key_in_two_processes_place_one_order(
    shared: Postgres, commit: Commit, shared_url: str
) -> None:
    customer, sku = uuid7(), await product(commit)
    other = Postgres(shared_url)
    other_commit = GroupCommit(other, OrderUnitOfWork)
    running = asyncio.create_task(other_commit.run())
    done = await asyncio.gather(
        *(place_once(c, customer, sku, "k") for _ in range(8) for c in (commit, other_commit))
    )
    running.cancel()
    await other.close()
    assert len({stored.order_id for stored, _ in done}) == 1
    assert [replayed for _, replayed in done].count(False) == 1
    assert len(await events(shared, done[0][0].order_id)) == 1
