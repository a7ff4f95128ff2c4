"""An erased customer's orders, in a real database: they stay, and nobody knows whose they were."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.http.preconditions import ANY
from chassis.messaging.consumer import Consumer
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer, enveloped, record
from order_svc import SERVICE
from order_svc.amending.commands import Wish, amend_order, want_wish
from order_svc.commands import cancel_order, want_order
from order_svc.customer_commands import forget_customer
from order_svc.domain import Order, State
from order_svc.dto import order_out
from order_svc.errors import AccountErased
from order_svc.fulfilment.commands import return_lines, ship_order
from order_svc.fulfilment.domain import plain
from order_svc.handlers import HANDLERS
from order_svc.parts import Amendment, Return, Shipment
from order_svc.store import Answered, Entry, OrderBook, idempotency_keys
from schemas import (
    Address,
    CustomerDeactivated,
    CustomerErased,
    OrderCancelled,
    OrdersAnonymised,
    StockReserved,
    answer_id,
)
from tests.answers import refused
from tests.chassis.tally import buried
from tests.order_svc.orders import ADDRESS, pending, read, timeline
from tests.outbox import events
from tests.stack import eventually

API = httpx.AsyncClient
Commit = GroupCommit[OrderBook]
NOWHERE = {"name": "-", "street": "-", "city": "-", "postal_code": "-", "country": "GB"}


def consumer(database: Postgres) -> Consumer[OrderBook]:
    return Consumer(database, SERVICE, OrderBook, HANDLERS)


async def test_the_orders_stay_without_where_they_went(shared: Postgres, commit: Commit) -> None:
    order, other = await pending(commit), await pending(commit)
    await consumer(shared).handle([record(enveloped(CustomerErased(customer_id=order.customer_id)))])
    kept = await read(shared, order)
    assert kept.shipping_address.model_dump() == NOWHERE
    assert (kept.customer_id, kept.lines, kept.total) == (order.customer_id, order.lines, order.total)
    assert (await read(shared, other)).shipping_address == ADDRESS


async def test_nothing_that_is_personal_stays_of_what_became_of_an_order(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    back = Return(uuid7(), (), order.total, "Too small for my hands.", order.placed_at)
    parcel = Shipment(uuid7(), "DHL", "4711", (), order.placed_at)
    told = replace(
        order,
        state="DELIVERED",
        version=2,
        billing_address=ADDRESS,
        note="Ada is moving house.",
        notes="Ring twice.",
        amendment=Amendment(2, order.lines, order.total, ADDRESS, ADDRESS),
        shipments=(parcel, parcel),
        returns=(back, back),
    )
    noted = [Entry(order.id, order.placed_at, "order.shipped", {"state": "SHIPPED", "tracking_number": "4711"})]

    def store(book: OrderBook) -> None:
        book.orders.set(order.id, told)
        book.timeline.add(noted[0])

    await commit(store, lambda book: book.orders.prefetch(order.id))
    await consumer(shared).handle([record(enveloped(CustomerErased(customer_id=order.customer_id)))])
    kept, nowhere = await read(shared, order), Address(**NOWHERE)
    assert kept.amendment is not None
    places = [kept.shipping_address, kept.billing_address]
    places += [kept.amendment.shipping_address, kept.amendment.billing_address]
    assert places == [nowhere] * 4
    assert (kept.note, kept.notes) == (None, None)
    assert kept.returns == (replace(back, reason=None),) * 2
    assert kept.shipments == (replace(parcel, tracking_number="-"),) * 2
    entries = await timeline(shared, order.id)
    assert entries[1:] == [("order.shipped", {"state": "SHIPPED", "tracking_number": "-"})]
    assert kept.state == "DELIVERED", "what has ended, or is on its way, stays what it is"


async def test_the_answer_to_an_idempotency_key_forgets_too(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    answered = Answered(uuid7(), "fingerprint", order.id, order_out(order).model_dump_json())
    await commit(
        lambda book: book.answered.set(answered.id, answered), lambda book: book.answered.prefetch(answered.id)
    )
    await consumer(shared).handle([record(enveloped(CustomerErased(customer_id=order.customer_id)))])
    async with shared.reading() as connection:
        query = sa.select(idempotency_keys.c.answer).where(idempotency_keys.c.id == answered.id)
        answer = json.loads(str(await connection.scalar(query)))
    assert answer == json.loads(answered.answer) | {"shipping_address": NOWHERE}


async def test_it_is_told_once_however_often_it_is_heard(shared: Postgres) -> None:
    customer_id = uuid7()
    heard = [record(enveloped(CustomerErased(customer_id=customer_id), 2)) for _ in range(2)]
    await consumer(shared).handle(heard)
    await consumer(shared).handle([record(enveloped(CustomerErased(customer_id=customer_id), 2))])
    key = answer_id(SERVICE, customer_id)
    assert await events(shared, key) == [OrdersAnonymised(answer_id=key, customer_id=customer_id)]


async def forget(database: Postgres, customer_id: UUID) -> None:
    await consumer(database).handle([record(enveloped(CustomerErased(customer_id=customer_id), 2))])


@pytest.mark.parametrize("state", ["PENDING", "CONFIRMED"])
@pytest.mark.parametrize("amended", [False, True])
async def test_an_order_that_has_not_left_is_cancelled(
    shared: Postgres, commit: Commit, state: State, amended: bool
) -> None:
    order = await pending(commit)
    if state == "CONFIRMED":
        await consumer(shared).handle([record(enveloped(StockReserved(order_id=order.id, lines=())))])
    if amended:
        wish = Wish(None, {"shipping_address": ADDRESS.model_copy(update={"street": "2 St"})})
        await commit(
            lambda book: amend_order(book, order.id, order.customer_id, ANY, wish),
            lambda book: want_wish(book, order.id, order.customer_id, wish),
        )
    before = await read(shared, order)
    await forget(shared, order.customer_id)
    kept = await read(shared, order)
    assert (before.state, kept.state, kept.reason, kept.note) == (state, "CANCELLED", "customer", None)
    assert (kept.version, kept.amendment) == (before.version + 1, None)
    assert kept.shipping_address.model_dump() == NOWHERE
    told = (await events(shared, order.id))[-1]
    assert told == OrderCancelled(order_id=order.id, customer_id=order.customer_id, reason="customer")
    assert (await timeline(shared, order.id))[-1][0] == "order.cancelled"


async def test_an_answer_about_stock_that_comes_after_the_erasure_changes_nothing(
    shared: Postgres, commit: Commit
) -> None:
    order = await pending(commit)
    await forget(shared, order.customer_id)
    kept = await read(shared, order)
    await consumer(shared).handle([record(enveloped(StockReserved(order_id=order.id, lines=())))])
    assert await read(shared, order) == kept
    assert [event.type for event in await events(shared, order.id)] == ["order.placed", "order.cancelled"]


async def test_an_erasure_that_is_heard_again_cancels_nothing_again(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    for _ in range(2):
        await forget(shared, order.customer_id)
    assert [event.type for event in await events(shared, order.id)] == ["order.placed", "order.cancelled"]


async def test_who_is_erased_cannot_cancel_and_leave_a_note(api: API, shared: Postgres, commit: Commit) -> None:
    """A token outlives its account."""
    order = await pending(commit)
    await forget(shared, order.customer_id)
    path, note = f"/v1/orders/{order.id}/cancel", {"note": "Ada is moving house."}
    refused(await api.post(path, json=note, headers=bearer(order.customer_id)), 409, "account_erased")
    refused(await api.post(path, json=note, headers=bearer()), 404, "order_unknown")
    refused(await api.post(path, json=note, headers=bearer(role="staff")), 409, "not_possible_now")


async def test_who_is_deactivated_can_still_cancel(api: API, shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    deactivated = CustomerDeactivated(customer_id=order.customer_id, by="staff")
    await consumer(shared).handle([record(enveloped(deactivated, 2))])
    answer = await api.post(
        f"/v1/orders/{order.id}/cancel", json={"note": "No more."}, headers=bearer(order.customer_id)
    )
    assert (answer.status_code, answer.json()["note"]) == (200, "No more.")


async def fulfilled(api: API, order: Order, step: str, **told: Any) -> dict[str, Any]:
    answer = await api.post(
        f"/v1/orders/{order.id}/{step}", json=told, headers={**bearer(role="staff"), "If-Match": "*"}
    )
    assert answer.status_code == 201, answer.text
    after: dict[str, Any] = answer.json()
    return after


async def test_what_staff_say_of_an_erased_customers_order_is_not_kept(
    api: API, shared: Postgres, commit: Commit
) -> None:
    order = await pending(commit, 3)
    [line] = order.lines
    await put(commit, replace(order, state="SHIPPED", version=2))
    await forget(shared, order.customer_id)
    after = await fulfilled(api, order, "shipments", carrier="DHL", tracking_number="4711")
    assert [shipment["tracking_number"] for shipment in after["shipments"]] == ["-"]
    await put(commit, replace(await read(shared, order), state="DELIVERED"))
    after = await fulfilled(api, order, "returns", lines=[{"sku": line.sku, "quantity": 1}], reason="Ada has moved.")
    assert [back["reason"] for back in after["returns"]] == [None]
    told = "".join(event.model_dump_json() for event in await events(shared, order.id))
    assert "Ada has moved." not in told
    assert "4711" not in told


async def test_what_was_set_aside_about_an_erased_customer_is_emptied(shared: Postgres) -> None:
    who = uuid7()
    letter = replace(record(enveloped(StockReserved(order_id=uuid7(), lines=()))), value=f'"{who} Ada"'.encode())
    await consumer(shared).handle([letter])
    assert [one["value"] for one in await buried(shared)][-1] == letter.value
    await forget(shared, who)
    assert [one["value"] for one in await buried(shared)][-1] is None


STEPS: dict[str, Callable[[OrderBook, Order], object]] = {
    "cancel": lambda book, order: cancel_order(book, order.id, order.customer_id, "customer", "Ada is moving."),
    "take back": lambda book, order: return_lines(
        book, order.id, ANY, uuid7(), {order.lines[0].sku: 1}, "Ada has moved."
    ),
    "ship": lambda book, order: ship_order(book, order.id, ANY, uuid7(), "DHL", "4711", None),
}
IN_STATE: dict[str, Callable[[Order], Order]] = {
    "cancel": lambda order: order,
    "take back": lambda order: replace(
        order,
        state="DELIVERED",
        shipments=(Shipment(uuid7(), "DHL", "1", plain(order.lines), order.placed_at),),
    ),
    "ship": lambda order: replace(order, state="SHIPPED"),
}


@pytest.mark.parametrize("step", STEPS)
async def test_words_that_are_written_during_an_erasure_are_not_kept(
    shared: Postgres, commit: Commit, step: str
) -> None:
    order = IN_STATE[step](await pending(commit))
    await put(commit, order)
    book = OrderBook(datetime.now(UTC))
    want_order(book, order.id)
    async with shared.transaction() as tx:
        await book.load(tx)
        erasing = asyncio.create_task(forget(shared, order.customer_id))
        await eventually(lambda: waits_for_a_row(shared), 10, "the erasure to wait for the order")
        STEPS[step](book, order)
        await book.save(tx)
    await erasing
    kept = await read(shared, order)
    assert kept.note is None
    assert [back.reason for back in kept.returns] == [None] * (step == "take back")
    assert {parcel.tracking_number for parcel in kept.shipments} <= {"-"}
    assert "4711" not in f"{await timeline(shared, order.id)}"


@pytest.mark.parametrize("step", STEPS)
async def test_whoever_waits_for_an_erasure_sees_it(shared: Postgres, commit: Commit, step: str) -> None:
    order = IN_STATE[step](await pending(commit))
    await put(commit, order)
    erasure = OrderBook(datetime.now(UTC))
    event = CustomerErased(customer_id=order.customer_id)
    HANDLERS[CustomerErased].wants(erasure, event)
    async with shared.transaction() as tx:
        await erasure.load(tx)
        acting = asyncio.create_task(
            commit(lambda book: STEPS[step](book, order), lambda book: want_order(book, order.id))
        )
        await eventually(lambda: waits_for_a_row(shared), 10, "the step to wait for the erasure")
        forget_customer(erasure, order.customer_id, 2)
        await erasure.save(tx)
    if step == "cancel":
        with pytest.raises(AccountErased):
            await acting
    else:
        await acting
    kept = await read(shared, order)
    assert (kept.note, {back.reason for back in kept.returns} - {None}) == (None, set())
    assert {parcel.tracking_number for parcel in kept.shipments} <= {"-"}
    assert "4711" not in f"{await timeline(shared, order.id)}"


async def put(commit: Commit, order: Order) -> None:
    await commit(lambda book: book.orders.set(order.id, order), lambda book: book.orders.prefetch(order.id))


async def waits_for_a_row(database: Postgres) -> bool:
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock' AND wait_event IN ('transactionid', 'tuple')"
    )
    async with database.reading() as connection:
        return bool(await connection.scalar(sa.text(query)))
